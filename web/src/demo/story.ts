/** Who says it (0 Ada, 1 Ben, 2 Chloé, 3 Dev), how many minutes ago, what; a name lets later lines refer to it. */
export interface Line {
  by: number;
  ago: number;
  text: string;
  name?: string;
  replyTo?: string;
  /** Said in the thread below that line. */
  under?: string;
  /** Drawn and sent along. */
  picture?: 'route' | 'poster';
  reactions?: [emoji: string, ...by: number[]][];
  edited?: string;
  mentions?: number[];
}

export interface Scene {
  title: string | null;
  by: number;
  with: number[];
  lines: Line[];
  /** Who has seen it up to the end; the others have it to read from this line on. */
  unreadFor?: Record<number, string>;
}

const DAY = 1440;

/** Four people of a neighbourhood bakery, a few days before it opens. */
export const scenes: Scene[] = [
  {
    title: 'Opening week',
    by: 0,
    with: [1, 2, 3],
    lines: [
      {
        by: 0,
        ago: 2 * DAY + 190,
        text: 'Morning all! One place for everything about the opening, so nothing gets lost in five group texts.',
      },
      { by: 2, ago: 2 * DAY + 184, text: 'Finally 🙌', reactions: [['😄', 0, 3]] },
      {
        by: 1,
        ago: 2 * DAY + 171,
        text: 'The oven passed its inspection. Two signatures and a rubber stamp, we are officially allowed to bake.',
        reactions: [
          ['🎉', 0, 2, 3],
          ['🔥', 3],
        ],
      },
      { by: 3, ago: 2 * DAY + 166, text: 'Card terminal arrives Thursday. I will set it up before the soft opening.' },
      {
        by: 2,
        ago: DAY + 320,
        text: 'First go at the poster. Sun or no sun?',
        picture: 'poster',
        name: 'poster',
        reactions: [
          ['☀️', 0, 1, 3],
          ['❤️', 0],
        ],
      },
      { by: 0, ago: DAY + 312, text: 'Sun. Absolutely sun.', replyTo: 'poster' },
      {
        by: 1,
        ago: DAY + 305,
        text: 'Could the opening hours be a little larger? My mother will read this from across the street.',
        under: 'poster',
      },
      { by: 2, ago: DAY + 301, text: 'Done, and I moved them above the address.', under: 'poster' },
      { by: 3, ago: DAY + 296, text: 'Mother-proof. Ship it.', under: 'poster', reactions: [['😂', 1, 2]] },
      {
        by: 3,
        ago: DAY + 60,
        text: 'Flour delivery moved to 7:15, they start on our side of the river now.',
        edited: 'Flour delivery moved to 6:45, they start on our side of the river now.',
      },
      {
        by: 1,
        ago: 95,
        text: 'Test batch is out: 40 croissants, 12 rye, one very ambitious brioche.',
        name: 'batch',
        reactions: [['🥐', 0, 2, 3]],
      },
      { by: 2, ago: 92, text: 'I can smell it from the tram stop' },
      { by: 0, ago: 34, text: 'Who is around tomorrow at six to fold boxes? Coffee is on me.', name: 'boxes' },
      { by: 2, ago: 31, text: 'Me! Bringing music.', replyTo: 'boxes' },
      {
        by: 3,
        ago: 12,
        text: '@Ada I can be there at half past, the terminal training ends at six.',
        mentions: [0],
        name: 'late',
      },
      { by: 1, ago: 9, text: 'And I bring the brioche. If it survives the night.', reactions: [['🤞', 2]] },
    ],
    unreadFor: { 0: 'late' },
  },
  {
    title: 'Sunday walk',
    by: 2,
    with: [0, 1],
    lines: [
      {
        by: 2,
        ago: DAY + 600,
        text: 'If the weather holds: up along the river, over the old bridge, back by the orchard.',
        picture: 'route',
        reactions: [['👍', 0, 1]],
      },
      { by: 1, ago: DAY + 590, text: 'How long is it? Asking for my knees.' },
      { by: 2, ago: DAY + 588, text: 'Eleven kilometres, flat. Your knees are invited.' },
      { by: 0, ago: DAY + 540, text: 'I pack the thermos ☕', reactions: [['💛', 2]] },
    ],
  },
  {
    title: null,
    by: 0,
    with: [1],
    lines: [
      { by: 1, ago: 410, text: 'Did the landlord answer about the bench outside?' },
      { by: 0, ago: 402, text: 'Yes! We may have it, as long as a pram gets past.' },
      {
        by: 1,
        ago: 401,
        text: 'Measured it this morning: 1.40 m left. A pram, a dog and an argument get past.',
        reactions: [['😂', 0]],
      },
      { by: 0, ago: 26, text: 'Perfect. I order it today then.' },
      { by: 1, ago: 20, text: 'Take the green one 🌿', name: 'green' },
    ],
    unreadFor: { 0: 'green' },
  },
  {
    title: null,
    by: 2,
    with: [0],
    lines: [
      { by: 2, ago: 2 * DAY + 30, text: 'The painter asks whether “butter” or “oat” for the back wall.' },
      { by: 0, ago: 2 * DAY + 24, text: 'Is there a difference?' },
      { by: 2, ago: 2 * DAY + 22, text: 'About four euros.' },
      { by: 0, ago: 2 * DAY + 21, text: 'Oat.' },
    ],
  },
  {
    title: null,
    by: 3,
    with: [1],
    lines: [
      { by: 3, ago: 300, text: 'What do I type in for a coffee and half a rye?' },
      { by: 1, ago: 297, text: 'Coffee is 1, rye is 4, half is the button that looks like a moon.' },
      { by: 3, ago: 296, text: 'Of course it is.', reactions: [['🌙', 1]] },
    ],
  },
];
