import { useEffect, useRef, type ReactNode } from 'react';
import { Volume2 } from 'lucide-react';
import { promptText } from '../text/prompt-en.ts';
import { Button } from '../ui/Button.tsx';
import { classesOf } from '../ui/classes.ts';
import { clearCanvas, drawShare, groupsPerLine } from './share-canvas.ts';
import { shareGroupLength } from './share-format.ts';
import type { ShownSecret } from './use-shown-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.drawing;

/** One character as a screen reader has to say it: capitals are told apart. */
function spell(byte: number): string {
  const character = String.fromCharCode(byte);
  return byte >= 0x41 && byte <= 0x5a ? `${words.capital} ${character}` : character;
}

/** A secret drawn in groups of four, which a screen reader reads aloud on the person's own demand. */
export function SecretDrawing(props: {
  readonly secret: ShownSecret;
  /** What it is a picture of, for those who cannot see it. */
  readonly name: string;
  readonly oneLine?: boolean;
}): ReactNode {
  const { secret } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const aloud = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const draw = (): void => {
      drawShare(element, secret.bytes);
    };
    // The page takes the theme on first; its colours are read when drawing.
    const theme = window.matchMedia('(prefers-color-scheme: dark)');
    draw();
    window.addEventListener('resize', draw);
    theme.addEventListener('change', draw);
    return () => {
      window.removeEventListener('resize', draw);
      theme.removeEventListener('change', draw);
      clearCanvas(element);
    };
  }, [secret]);
  // Only here, on the person's own demand, does the secret become text in the page; it goes with the drawing.
  const readAloud = (): void => {
    const element = aloud.current;
    if (element === null) return;
    element.replaceChildren();
    const perLine = shareGroupLength * groupsPerLine;
    for (let line = 0; line * perLine < secret.bytes.length; line += 1) {
      const paragraph = document.createElement('p');
      const spelled = Array.from(secret.bytes.subarray(line * perLine, (line + 1) * perLine), spell).join(' ');
      paragraph.textContent = `${words.line(line + 1)}: ${spelled}`;
      element.append(paragraph);
    }
  };
  return (
    <>
      <canvas
        ref={canvas}
        className={css('canvas', props.oneLine === true && 'oneLine')}
        role="img"
        aria-label={words.picture(props.name)}
      />
      <div className={css('aloud')}>
        <span className={css('small')}>{words.readAloudWarning}</span>
        <Button look="quiet" icon={<Volume2 size={16} aria-hidden />} onPress={readAloud}>
          {words.readAloud}
        </Button>
      </div>
      <div ref={aloud} className={css('heard')} aria-live="assertive" />
    </>
  );
}
