/** Pictures for the story, so that the page needs none from elsewhere. */
export function draw(what: 'route' | 'poster'): Promise<Blob> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [1200, 800];
  const context = canvas.getContext('2d');
  if (!context) throw new Error('There is no canvas here');
  if (what === 'route') drawRoute(context);
  else drawPoster(context);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('The picture cannot be made'))),
      'image/jpeg',
      0.85,
    ),
  );
}

function drawPoster(context: CanvasRenderingContext2D): void {
  const sky = context.createLinearGradient(0, 0, 0, 800);
  sky.addColorStop(0, '#f9c46b');
  sky.addColorStop(0.62, '#f6e3c0');
  context.fillStyle = sky;
  context.fillRect(0, 0, 1200, 800);
  context.fillStyle = '#ef7f45';
  disc(context, 600, 470, 190);
  for (let i = 0; i < 24; i++) {
    context.save();
    context.translate(600, 470);
    context.rotate((i * Math.PI) / 12);
    context.fillStyle = i % 2 ? '#f2955c' : '#f7ac6d';
    context.fillRect(-7, -330, 14, 90);
    context.restore();
  }
  hill(context, '#5f7f5c', 560, 70);
  hill(context, '#3f5f4a', 640, -50);
  context.fillStyle = '#2c2a33';
  context.textAlign = 'center';
  context.font = '700 92px Georgia, serif';
  context.fillText('Good Morning Bakery', 600, 150);
  context.fillStyle = '#fdf6e6';
  context.font = '600 46px Georgia, serif';
  context.fillText('Opening Saturday, 7 to 13', 600, 735);
}

function drawRoute(context: CanvasRenderingContext2D): void {
  context.fillStyle = '#e6edd8';
  context.fillRect(0, 0, 1200, 800);
  context.fillStyle = '#cfdfb9';
  for (const [x, y, r] of [
    [180, 200, 150],
    [980, 180, 190],
    [330, 680, 180],
    [880, 640, 130],
  ] as const)
    disc(context, x, y, r);
  line(context, '#9cc7e4', 64, [
    [-40, 620],
    [260, 480],
    [520, 540],
    [760, 340],
    [1240, 260],
  ]);
  line(context, '#ffffff', 14, [
    [-20, 250],
    [380, 300],
    [700, 160],
    [1220, 420],
  ]);
  line(
    context,
    '#d2542f',
    10,
    [
      [160, 640],
      [330, 520],
      [520, 600],
      [735, 420],
      [790, 250],
      [620, 200],
      [380, 330],
      [160, 640],
    ],
    [26, 16],
  );
  context.fillStyle = '#d2542f';
  disc(context, 160, 640, 20);
  context.fillStyle = '#4b7a3e';
  for (let i = 0; i < 26; i++) disc(context, 840 + (i % 7) * 42, 560 + Math.floor(i / 7) * 44, 13);
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function hill(context: CanvasRenderingContext2D, colour: string, top: number, bend: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, top);
  context.bezierCurveTo(400, top - bend, 800, top + bend * 2, 1200, top - bend / 2);
  context.lineTo(1200, 800);
  context.lineTo(0, 800);
  context.fill();
}

function line(
  context: CanvasRenderingContext2D,
  colour: string,
  width: number,
  points: readonly (readonly [number, number])[],
  dash: number[] = [],
): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = 'round';
  context.setLineDash(dash);
  context.beginPath();
  for (const [i, [x, y]] of points.entries()) {
    const before = points[i - 1];
    if (before) context.quadraticCurveTo(before[0], before[1], (before[0] + x) / 2, (before[1] + y) / 2);
    else context.moveTo(x, y);
    if (i === points.length - 1) context.lineTo(x, y);
  }
  context.stroke();
}
