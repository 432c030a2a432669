import { mount } from '../ui/mount.js';
import { ThemeToggle } from '../ui/theme-toggle.js';

mount(
  <main>
    <h1>Operations</h1>
    <ThemeToggle />
  </main>,
);
