import { IconButton } from './button.js';
import { useTheme } from './theme.js';

export function ThemeToggle() {
  const { isDark, toggle } = useTheme();
  return <IconButton icon={isDark ? 'sun' : 'moon'} label={isDark ? 'Light theme' : 'Dark theme'} onClick={toggle} />;
}
