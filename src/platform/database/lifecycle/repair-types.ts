/** One statement of a repair. Each is guarded, so running it again changes nothing. */
export interface RepairStatement {
  /** e.g. `column users.email` */
  object: string;
  sql: string;
  /** Must run outside a transaction (CONCURRENTLY). */
  concurrent: boolean;
}

/** What repair will not restore: data stands against it, or it would have to invent data. */
export interface RepairRefusal {
  object: string;
  reason: string;
  /** Rows that stand against it (duplicates, orphans, violations, rows without a value); 0 when not about rows. */
  rows: number;
  /** A query that lists them, or '' */
  query: string;
}

export interface RepairPlan {
  /** In an order in which they can run. */
  statements: RepairStatement[];
  refused: RepairRefusal[];
  /** Tables that will be created empty: their essential seeds have to run again. */
  createdTables: string[];
}
