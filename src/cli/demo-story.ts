/** Whom `parley seed demo` makes. */
export const people = [
  { name: 'ada', displayName: 'Ada Lindqvist' },
  { name: 'ben', displayName: 'Ben Okafor' },
  { name: 'chloe', displayName: 'Chloé Martin' },
  { name: 'dev', displayName: 'Dev Patel' },
] as const;

type Name = (typeof people)[number]['name'];

/** One conversation; without a title it is between two. */
export interface Story {
  /** Part of the ids of its messages: never changed. */
  id: number;
  title?: string;
  members: readonly Name[];
  messages: readonly (readonly [Name, string])[];
}

export const conversations: readonly Story[] = [
  {
    id: 1,
    title: 'Garden club',
    members: ['ada', 'ben', 'chloe', 'dev'],
    messages: [
      ['ada', 'The seedlings came up! Who waters on Saturday?'],
      ['ben', 'I can, before noon.'],
      ['chloe', 'Then I take Sunday. The tap on the left still drips.'],
      ['dev', 'I bring a washer for it.'],
      ['ada', 'You are all wonderful.'],
    ],
  },
  {
    id: 2,
    members: ['ada', 'ben'],
    messages: [
      ['ben', 'Did you find the key of the shed?'],
      ['ada', 'Under the blue pot, where it always is.'],
      ['ben', 'Of course. See you Saturday.'],
    ],
  },
  {
    id: 3,
    members: ['chloe', 'dev'],
    messages: [
      ['dev', 'How large is the tap, half an inch?'],
      ['chloe', 'Three quarters, I measured it.'],
    ],
  },
];
