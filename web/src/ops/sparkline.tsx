interface SparklineProps {
  values: readonly number[];
  warning: number;
  critical: number;
}

const WIDTH = 240;
const HEIGHT = 48;
const AIR = 3;

/** The course of a figure, with the lines it should stay below (or above). What it shows is also said in words. */
export function Sparkline({ values, warning, critical }: SparklineProps) {
  const highest = Math.max(...values, 0);
  // A threshold far away would press the line flat; it is drawn when the figures come near.
  const near = [warning, critical].filter((limit) => limit <= highest * 2.5);
  const top = Math.max(highest, ...near, Number.EPSILON);
  const x = (index: number) => (values.length < 2 ? WIDTH : (index / (values.length - 1)) * WIDTH);
  const y = (value: number) => HEIGHT - AIR - (value / top) * (HEIGHT - 2 * AIR);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  const last = values.at(-1);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {warning <= top && <line class="warning" x1="0" x2={WIDTH} y1={y(warning)} y2={y(warning)} />}
      {critical <= top && <line class="critical" x1="0" x2={WIDTH} y1={y(critical)} y2={y(critical)} />}
      {points.length > 1 && (
        <>
          <polygon points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
          <polyline points={points.join(' ')} />
        </>
      )}
      {points.length === 1 && last !== undefined && <line class="single" x1="0" x2={WIDTH} y1={y(last)} y2={y(last)} />}
    </svg>
  );
}
