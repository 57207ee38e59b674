import { useEffect, type ReactNode, type RefObject } from 'react';

/** What has a heading of its own to go on from. */
const parts = 'section, [role="tabpanel"], [data-keeps-focus], main';

function ancestorsOf(element: Element, page: Element): readonly Element[] {
  const ancestors: Element[] = [element];
  for (let next = element.parentElement; next !== null && page.contains(next); next = next.parentElement)
    ancestors.push(next);
  return ancestors;
}

/** The heading of the innermost part that is still there. */
function findHeading(ancestors: readonly Element[]): HTMLElement | null {
  for (const ancestor of ancestors) {
    const heading = ancestor.isConnected && ancestor.matches(parts) ? ancestor.querySelector('h1, h2, h3') : null;
    if (heading instanceof HTMLElement) return heading;
  }
  return null;
}

const isUsable = (element: Element): boolean => element.isConnected && !element.matches(':disabled');

/**
 * Where what had the focus is taken away or put out of use (a button whose act has begun, a message that was
 * dismissed, a tab of a device that was pulled out), the focus goes back to where it was on the page, or to the heading
 * of what stands there now. Otherwise it would be nowhere, and a screen reader would begin at the top again.
 */
export function KeptFocus({ page }: { readonly page: RefObject<HTMLElement | null> }): ReactNode {
  useEffect(() => {
    let focused: Element | undefined;
    /** What was focused last on the page, and what it lies in. */
    let ancestors: readonly Element[] = [];
    let timer = 0;
    const remember = ({ target }: FocusEvent): void => {
      if (!(target instanceof Element) || page.current === null) return;
      focused = target;
      if (page.current.contains(target)) ancestors = ancestorsOf(target, page.current);
      // Dialogs and messages lie outside of the page and are left for it again; the navigation takes the focus for good.
      else if (target.closest('nav') !== null) ancestors = [];
    };
    const mend = (): void => {
      if (focused === undefined || document.activeElement !== document.body) return;
      // A click beside everything takes the focus away, too, and is meant so.
      if (isUsable(focused)) return;
      const [last] = ancestors;
      if (last instanceof HTMLElement && isUsable(last)) {
        last.focus();
        return;
      }
      const heading = findHeading(ancestors);
      if (heading?.hasAttribute('tabindex') === false) heading.tabIndex = -1;
      heading?.focus();
    };
    const observer = new MutationObserver(() => {
      window.clearTimeout(timer);
      // After React Aria's own giving back, which waits for a frame.
      timer = window.setTimeout(mend, 60);
    });
    document.addEventListener('focusin', remember);
    observer.observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['disabled'],
    });
    return () => {
      document.removeEventListener('focusin', remember);
      observer.disconnect();
      window.clearTimeout(timer);
    };
  }, [page]);
  return null;
}
