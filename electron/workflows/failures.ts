/**
 * Errors are values across every boundary. A failure has a code from a closed list, says what happened
 * and what the person can do next. It never holds a secret. Exceptions are for bugs.
 */

export const tokenFailureCodes = [
  'Token_ModuleMissing',
  'Token_ModuleNotPkcs11',
  'Token_ModuleCrashed',
  'Token_ModuleHung',
  'Token_HostUnavailable',
  'Token_Busy',
  'Token_NotFound',
  'Token_Gone',
  'Token_SerialMismatch',
  'Token_NotInitialized',
  'Token_PinIncorrect',
  'Token_PinLastTry',
  'Token_PinLocked',
  'Token_PinLengthInvalid',
  'Token_PinNotSet',
  'Token_SoPinIncorrect',
  'Token_SoPinLocked',
  'Token_LabelInvalid',
  'Token_LabelInUse',
  'Token_KeyLabelInUse',
  'Token_KeyLabelDoubled',
  'Token_KeyMissing',
  'Token_KeyIncomplete',
  'Token_KeyUnsuitable',
  'Token_KeySizeUnsupported',
  'Token_ObjectExists',
  'Token_ObjectMissing',
  'Token_ObjectDoubled',
  'Token_ObjectNotKept',
  'Token_DecryptFailed',
  'Token_SessionLost',
  'Token_NotLoggedIn',
  'Token_MemoryFull',
  'Token_MechanismUnsupported',
  'Token_ReadOnly',
  'Token_BadRequest',
  'Token_GeneralError',
  'Token_CertificateInvalid',
  'Token_KeyTestFailed',
  'Token_MechanismUnsafe',
  'Device_PcscUnavailable',
  'Device_PcscNotPermitted',
  'Device_ReaderInUse',
  'Device_NotSmartCardHsm',
  'Device_CardFault',
  'Device_StatusUnexpected',
  'Device_SoPinFormInvalid',
  'Device_SoPinIsFactory',
  'Device_PinResetNotAllowed',
  'Device_DkekAbsent',
  'Device_DkekIncomplete',
  'Device_DkekMismatch',
  'Device_DkekNotExpected',
  'Device_ShareFileInvalid',
  'Device_SharePasswordWrong',
  'Device_SharePieceInvalid',
  'Device_KeyFileInvalid',
  'Device_KeyExists',
  'Device_KeyNameless',
  'Device_AttestationInvalid',
  'Device_PresenceUnavailable',
] as const;

export const vaultFailureCodes = [
  'Vault_AddressInvalid',
  'Vault_Unreachable',
  'Vault_TimedOut',
  'Vault_CertificateInvalid',
  'Vault_CertificateMismatch',
  'Vault_CaFileUnreadable',
  'Vault_AlreadyInitialized',
  'Vault_NotInitialized',
  'Vault_InitReplyLost',
  'Vault_SealedByAnother',
  'Vault_Sealed',
  'Vault_Standby',
  'Vault_PerformanceStandby',
  'Vault_DisasterRecoverySecondary',
  'Vault_RateLimited',
  'Vault_Unavailable',
  'Vault_NotJson',
  'Vault_UnexpectedReply',
  'Vault_PermissionDenied',
  'Vault_Refused',
  'Vault_ThresholdInvalid',
  'Vault_ShareCorrupt',
  'Vault_ShareDuplicate',
  'Vault_ShareForeign',
  'Vault_NonceChanged',
  'Vault_ResetByAnother',
  'Vault_NotShamir',
  'Vault_MigrationPending',
  'Vault_MigrationNotOffered',
  'Vault_MigrationIncomplete',
  'Vault_TokenNeeded',
  'Vault_SetUpDiffers',
  'Vault_PolicyUnsuitable',
] as const;

export const pgpFailureCodes = [
  'Pgp_KeyUnreadable',
  'Pgp_KeyExpired',
  'Pgp_KeyRevoked',
  'Pgp_KeyCannotEncrypt',
  'Pgp_KeyIsPrivate',
  'Pgp_DecryptFailed',
  'Pgp_GpgMissing',
] as const;

export const custodyFailureCodes = [
  'Custody_DiskFull',
  'Custody_WriteFailed',
  'Custody_ReadFailed',
  'Custody_JournalDamaged',
  'Custody_SettingsDamaged',
  'Custody_EscrowDamaged',
  'Custody_EscrowMissing',
  'Custody_RunNotFound',
  'Custody_RunBusy',
  'Custody_RunEnded',
  'Custody_PlanInvalid',
  'Custody_ConfirmationMismatch',
] as const;

export const appFailureCodes = [
  'App_SecondCopy',
  'App_BadRequest',
  'App_SenderRefused',
  'App_PromptCancelled',
  'App_PromptBusy',
  'App_TypedShareDiffers',
  'App_Locked',
  'App_NotFound',
  'App_HostUnavailable',
  'App_Internal',
] as const;

export const rehearsalFailureCodes = [
  'Rehearsal_SoftHsmMissing',
  'Rehearsal_VaultMissing',
  'Rehearsal_VaultBuildFailed',
  'Rehearsal_VaultStartFailed',
  'Rehearsal_NotRunning',
  'Rehearsal_AlreadyRunning',
] as const;

export const clusterFailureCodes = [
  'Cluster_KubectlMissing',
  'Cluster_KubectlUnsuitable',
  'Cluster_KubectlEnded',
  'Cluster_KubeconfigInvalid',
  'Cluster_ContextInvalid',
  'Cluster_ContextChanged',
  'Cluster_OtherCluster',
  'Cluster_NotAllowed',
  'Cluster_InsecureRefused',
  'Cluster_Unreachable',
  'Cluster_TimedOut',
  'Cluster_CertificateInvalid',
  'Cluster_Unauthorized',
  'Cluster_RightsMissing',
  'Cluster_KindMissing',
  'Cluster_AdmissionRefused',
  'Cluster_ObjectInvalid',
  'Cluster_ObjectTooLarge',
  'Cluster_OwnedByOthers',
  'Cluster_Conflict',
  'Cluster_PreviewOutdated',
  'Cluster_PushIncomplete',
  'Cluster_Drifted',
  'Cluster_NotEncrypted',
  'Cluster_RolloutFailed',
  'Cluster_NotFound',
  'Cluster_ValueExists',
  'Cluster_ValueMissing',
  'Cluster_ValueInvalid',
  'Cluster_UnexpectedReply',
  'Cluster_HostUnavailable',
] as const;

export const kmsFailureCodes = [
  'Kms_ConfigurationInvalid',
  'Kms_SecretUnreadable',
  'Kms_SocketInUse',
  'Kms_SocketUnusable',
  'Kms_HealthUnavailable',
  'Kms_Unreachable',
  'Kms_ContractBroken',
  'Kms_NotConverged',
] as const;

export const failureCodes = [
  ...tokenFailureCodes,
  ...vaultFailureCodes,
  ...pgpFailureCodes,
  ...custodyFailureCodes,
  ...appFailureCodes,
  ...rehearsalFailureCodes,
  ...clusterFailureCodes,
  ...kmsFailureCodes,
] as const;

export type TokenFailureCode = (typeof tokenFailureCodes)[number];
export type VaultFailureCode = (typeof vaultFailureCodes)[number];
export type PgpFailureCode = (typeof pgpFailureCodes)[number];
export type CustodyFailureCode = (typeof custodyFailureCodes)[number];
export type AppFailureCode = (typeof appFailureCodes)[number];
export type RehearsalFailureCode = (typeof rehearsalFailureCodes)[number];
export type ClusterFailureCode = (typeof clusterFailureCodes)[number];
export type FailureCode = (typeof failureCodes)[number];

export interface Failure<Code extends string = FailureCode> {
  readonly code: Code;
  /** What happened, one or two plain sentences. */
  readonly message: string;
  /** What the person can do next. */
  readonly next: string;
  /** Facts for a person or a program: tries left, return values, addresses. Never a secret. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export type Result<Value, Code extends string = FailureCode> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: Failure<Code> };

export function success<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function failure<Code extends string>(
  code: Code,
  message: string,
  next: string,
  details?: Failure<Code>['details'],
): { readonly ok: false; readonly error: Failure<Code> } {
  return { ok: false, error: details === undefined ? { code, message, next } : { code, message, next, details } };
}
