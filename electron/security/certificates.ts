import { app, type Session } from 'electron';

/** No window speaks TLS; should one ever, a bad certificate is never excused and no client certificate is offered. */
export function denyCertificateExceptions(): void {
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault();
    callback(false);
  });
  app.on('select-client-certificate', (event, _contents, _url, _list, callback) => {
    event.preventDefault();
    callback();
  });
  app.on('login', (event, _contents, _details, _authInfo, callback) => {
    event.preventDefault();
    callback();
  });
}

export function rejectAllCertificates(session: Session): void {
  // -2 is Chromium's "fail", whatever its own verdict was.
  session.setCertificateVerifyProc((_request, callback) => {
    callback(-2);
  });
}
