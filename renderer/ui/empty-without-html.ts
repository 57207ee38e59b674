/**
 * React Aria empties its announcer for screen readers by `innerHTML = ''`, at the second change of a number. Trusted
 * Types, which the content security policy asks for without any policy, refuse every text there, the empty one, too,
 * and the window would go blank. Emptying needs no HTML: an empty text takes the children away, any other still is
 * refused.
 */
const descriptor = Object.getOwnPropertyDescriptor(Element.prototype, 'innerHTML');
const assign = descriptor?.set;

if (descriptor !== undefined && assign !== undefined) {
  Object.defineProperty(Element.prototype, 'innerHTML', {
    ...descriptor,
    set(this: Element, value: unknown) {
      if (value === '') this.replaceChildren();
      else assign.call(this, value);
    },
  });
}
