/** Outlines on a grid of 24. */
const shapes = {
  archive: 'M4 7h16M5 7v11a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V7M4 4h16v3H4zM10 12h4',
  back: 'm15 5-7 7 7 7',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2',
  close: 'M6 6l12 12M18 6 6 18',
  copies: 'M9 9h11v11H9zM5 15H4V4h11v1',
  cut: 'M4 4l16 16M2.5 9A15 15 0 0 1 7 6.2M10.5 5.1A15 15 0 0 1 21.5 9M6 12.8a10 10 0 0 1 3-1.9M15 11.2a10 10 0 0 1 3 1.6M9.5 16.4a4.5 4.5 0 0 1 5 0M12 20h.01',
  doubleCheck: 'm1.5 12.5 4.5 4.5L15 7.5M10 14.5l2.5 2.5L22 7.5',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  gauge: 'M4 18a8.5 8.5 0 1 1 16 0M12 15l4-5',
  hash: 'M9 4 7 20M17 4l-2 16M4 9h17M3 15h17',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9h.01',
  leak: 'M12 3c3 4 6 7 6 10.5a6 6 0 0 1-12 0C6 10 9 7 12 3ZM9.5 14a2.5 2.5 0 0 0 2.5 2.5',
  list: 'M4 6h16M4 12h16M4 18h16',
  menu: 'M5 12h.01M12 12h.01M19 12h.01',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.4M18 14a6.5 6.5 0 0 1 3.5 6',
  plus: 'M12 5v14M5 12h14',
  power: 'M12 3v8M6.5 6.5a8 8 0 1 0 11 0',
  reply: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l4.5 4.5',
  send: 'M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5h.01M15 9.5h.01',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4',
  thread: 'M5 5h14v9H11l-4 4v-4H5zM9 9.5h6',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  warning: 'M12 4 2.5 20h19zM12 10v4M12 17h.01',
  wave: 'M2 12c2.5-5 4.5-5 7 0s4.5 5 7 0 4-5 6-1',
};

export type IconName = keyof typeof shapes;

/** Decoration only; what it means stands beside it or on its button. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false" class="icon-shape">
      <path
        d={shapes[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
