import { readCertificate, type CvCertificate } from './cv-certificate.ts';

/**
 * CardContact's scheme root certification authority (SRCA), DESRCACC100001, which attests the makers of all
 * SmartCard-HSMs, Nitrokey among them. Public: the certificate that OpenSC ships as etc/DESRCACC100001.
 */
const cardContactRoot = [
  '7f218201b47f4e82016c5f290100420e44455352434143433130303030317f4982011d060a04007f000702020202038120',
  'a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377',
  '82207d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9',
  '832026dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6',
  '8441048bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262',
  '547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997',
  '8520a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7',
  '8641046d025a8026cdba245f10df1b72e9880fff746dab40a43a3d5c6bebf27707c30f',
  '6dea72430ee3287b0665c1eaa6eaa4fa26c46303001983f82bd1aa31e03da062',
  '8701015f200e44455352434143433130303030317f4c10060b2b0601040181c31f0301015301c0',
  '5f25060102010100095f24060302010100085f3740',
  '9dbb382b1711d2baacb0c623d40c6267d0b52ba455c01f56333dc9554810b9b2',
  '878daf9ec3ada19c7b065d780d6c9c3c2ecedfd78deb18af40778adf89e861ca',
].join('');

/** The roots that a device's certificates are checked up to. */
export function vendorRoots(): readonly CvCertificate[] {
  const root = readCertificate(Buffer.from(cardContactRoot, 'hex'));
  return root === undefined ? [] : [root];
}
