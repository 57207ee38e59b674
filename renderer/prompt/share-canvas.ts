/**
 * Draws a share on a canvas: bytes go glyph by glyph to the picture, so that no element and no string
 * holds the whole of it. Four groups of four to a line, with line numbers where there are several.
 */
import { shareGroupLength } from './share-format.ts';

export const groupsPerLine = 4;

export function drawShare(canvas: HTMLCanvasElement, share: Uint8Array): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { width, height } = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const lines = Math.ceil(share.length / (shareGroupLength * groupsPerLine));
  const lineHeight = height / (lines + 0.5);
  const size = Math.min(lineHeight * 0.72, width / 17.5);
  const monospace = style.getPropertyValue('--mono');
  context.textBaseline = 'middle';
  const left = size * 2.1;
  const step = (width - left - size) / (groupsPerLine * (shareGroupLength + 0.9));
  share.forEach((byte, index) => {
    const line = Math.floor(index / (shareGroupLength * groupsPerLine));
    const column = index % (shareGroupLength * groupsPerLine);
    const y = (line + 0.75) * lineHeight;
    if (column === 0 && lines > 1) {
      context.font = `${String(size * 0.7)}px ${monospace}`;
      context.fillStyle = style.getPropertyValue('--ink-muted');
      context.fillText(`${String(line + 1)}.`, size * 0.6, y);
    }
    context.font = `600 ${String(size)}px ${monospace}`;
    context.fillStyle = style.getPropertyValue('--ink');
    const group = Math.floor(column / shareGroupLength);
    context.fillText(String.fromCharCode(byte), left + (column + group * 0.9) * step, y);
  });
}

export function clearCanvas(canvas: HTMLCanvasElement): void {
  canvas.width = 1;
  canvas.height = 1;
}
