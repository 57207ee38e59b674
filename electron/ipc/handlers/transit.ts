import { X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import { planTransitSetUp } from '../../core/transit-set-up.ts';
import { failure, success } from '../../workflows/failures.ts';
import { kmsPolicy } from '../../workflows/recipes/transit-setup.ts';
import { notFound, operatorName, type Group, type HandlerContext } from './context.ts';
import { readSmallFile } from './small-file.ts';

/** A bundle of authorities; the plan takes 100,000 characters. */
const maximumAuthorityBytes = 96 * 1024;

const noAuthority = { chosen: false, fileName: '', subject: '', sha256: '', certificateAuthorityPem: '' };

export type TransitHandlerParts = Pick<HandlerContext, 'desktop' | 'clusters'> & {
  readonly core: Pick<HandlerContext['core'], 'connections' | 'review' | 'vaults'> & {
    readonly clusters: Pick<HandlerContext['core']['clusters'], 'render'>;
    readonly runner: Pick<HandlerContext['core']['runner'], 'start'>;
    readonly settings: HandlerContext['core']['settings'];
  };
};

export function createTransitHandlers({ core, desktop, clusters }: TransitHandlerParts): Group<'transit'> {
  return {
    async 'transit.policy'({ form }) {
      const result = core.clusters.render(form);
      const recipe = result.ok ? result.input : undefined;
      return success({
        policy: recipe?.recipe === 'kms-plugin' && recipe.backend.kind === 'transit' ? kmsPolicy(recipe.backend) : '',
      });
    },
    async 'transit.choose-authority'() {
      const path = await desktop.chooseFile('ca-file');
      if (path === undefined) return success(noAuthority);
      const file = await readSmallFile(path, maximumAuthorityBytes);
      if (!file.ok) return file;
      const certificateAuthorityPem = Buffer.from(file.value).toString('utf8');
      const refused = failure(
        'App_BadRequest',
        `${basename(path)} holds no certificate in PEM form.`,
        'Choose the authority behind the API server; on kubeadm it is /etc/kubernetes/pki/ca.crt.',
      );
      // A file that holds a key beside it is no authority's, and a key has no place in a plan.
      if (
        !certificateAuthorityPem.includes('-----BEGIN CERTIFICATE-----') ||
        /PRIVATE KEY/u.test(certificateAuthorityPem)
      )
        return refused;
      try {
        const certificate = new X509Certificate(certificateAuthorityPem);
        return success({
          chosen: true,
          fileName: basename(path),
          subject: certificate.subject.split('\n').join(', '),
          sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
          certificateAuthorityPem,
        });
      } catch (cause) {
        if (!(cause instanceof Error)) throw cause;
        return refused;
      }
    },
    async 'transit.start'({ vaultId, form, contextId, host, certificateAuthorityPem, replaceDiffering }) {
      const vault = core.vaults().find((candidate) => candidate.id === vaultId);
      if (vault === undefined) return notFound('The Vault');
      const result = core.clusters.render(form);
      if (!result.ok)
        return failure(
          'App_BadRequest',
          'Something in this recipe is not right yet.',
          'Correct the fields that are marked, then do this again.',
        );
      const plan = await planTransitSetUp(core, {
        vault,
        recipe: result.input,
        replaceDiffering,
        cluster: async () => {
          if (vault.rehearsal)
            return failure(
              'Custody_PlanInvalid',
              'A rehearsal reads and writes no cluster: nothing real is touched by it.',
              'Have the plugin log in by a client certificate, or do it with a Vault of your own.',
            );
          const pin = await clusters.pin(contextId);
          return pin.ok ? success({ pin: pin.value, host, certificateAuthorityPem }) : pin;
        },
      });
      return plan.ok ? core.runner.start(plan.value, operatorName(core)) : plan;
    },
  };
}
