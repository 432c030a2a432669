export interface Stage {
  name: string;
  from: string;
  steps: { instruction: string; text: string; flags: Record<string, string> }[];
}
export function parseDockerfile(source: string): Stage[];
export function words(text: string): string[];
export function ignoredBy(source: string): (path: string) => boolean;
