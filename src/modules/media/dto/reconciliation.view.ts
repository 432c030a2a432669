/** What a comparison of the store with the table found, and what was done about it. Sizes in bytes. */
export interface MediaReconciliation {
  driver: string;
  /** Nothing was found; true or false as before anything was done. */
  consistent: boolean;
  applied: boolean;
  /** Objects in the store. */
  objects: number;
  /** Files whose bytes should be in this store, and in another one; the latter were not looked for. */
  rows: number;
  elsewhere: number;
  /** Objects that nothing refers to, a day old or more. */
  orphans: { key: string; size: number }[];
  /** Files, or renditions of them, that are not there. */
  lost: { id: string; ownerId: string; state: string; variant: string; key: string }[];
  /** Files of another size than they had. Only told: nobody knows which one is right. */
  resized: { id: string; key: string; size: number; found: number }[];
  removed: number;
  rejected: number;
  renderedAgain: number;
}
