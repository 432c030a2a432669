import { ThemeToggle } from '../ui/theme-toggle.js';
import { mount } from '../ui/mount.js';

mount(
  <main>
    <h1>Parley</h1>
    <ThemeToggle />
  </main>,
);
