import type { ReactNode } from 'react';
import { X } from 'lucide-react';
import { useAlerts } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { FailureBox } from '../../ui/FailureBox.tsx';
import styles from './shell.module.css';

const css = classesOf(styles);

export function AlertList(): ReactNode {
  const alerts = useAlerts((state) => state.alerts);
  const dismiss = useAlerts((state) => state.dismiss);
  return (
    <div className={css('alerts')} role="alert" aria-label={text.common.messages}>
      {alerts.map((alert) => {
        const close = (
          <Button
            look="quiet"
            iconOnly
            name={text.common.dismiss}
            icon={<X size={18} aria-hidden />}
            onPress={() => {
              dismiss(alert.id);
            }}
          >
            {text.common.dismiss}
          </Button>
        );
        return alert.kind === 'failure' ? (
          <div key={alert.id} className={css('failureAlert')}>
            <FailureBox failure={alert.failure} actions={close} />
          </div>
        ) : (
          <div key={alert.id} className={css('done')}>
            <span>{alert.words}</span>
            {close}
          </div>
        );
      })}
    </div>
  );
}
