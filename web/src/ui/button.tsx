import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icon.js';

type Native = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'size' | 'class'> & { class?: string };

interface ButtonProps extends Native {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  icon?: IconName;
  children: ComponentChildren;
}

export function Button({ kind = 'plain', icon, children, class: more = '', ...rest }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind} ${more}`} {...rest}>
      {icon && <Icon name={icon} size={16} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Native {
  icon: IconName;
  /** Read aloud, and shown while the pointer rests on it. */
  label: string;
  size?: number;
}

export function IconButton({ icon, label, size = 18, class: more = '', ...rest }: IconButtonProps) {
  return (
    <button type="button" class={`button quiet icon ${more}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} size={size} />
    </button>
  );
}
