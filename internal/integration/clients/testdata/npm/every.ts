// Uses each export of the package as an application does. Nothing runs it: the compiler reads it.
import {
  ApiError,
  Client,
  type AccountHistory,
  type AddressConfirmRequest,
  type AddressRequest,
  type CallInit,
  type CancelRequest,
  type Challenge,
  type Choice,
  type Choices,
  type ClientInit,
  type Codes,
  type CodesRequest,
  type Confirmation,
  type ConfirmRequest,
  type Countries,
  type Country,
  type Delivery,
  type Device,
  type Devices,
  type Enrollment,
  type EnrollRequest,
  type Factor,
  type Factors,
  type HistoryEvent,
  type Identified,
  type LinkRequest,
  type Nothing,
  type Option,
  type Implied,
  type Later,
  type Passkeys,
  type PasswordlessAnswer,
  type PasswordlessChallenge,
  type Postponed,
  type Preference,
  type Purpose,
  type Questions,
  type Removed,
  type RemoveRequest,
  type Renamed,
  type RenameRequest,
  type ResendRequest,
  type SavedRequest,
  type SendRequest,
  type SetupRequest,
  type State,
  type StepUpRequest,
  type SupportRequest,
  type Unlock,
  type UnlockRequest,
  type Verification,
  type VerifyRequest,
} from "secondgate/client";
import {
  codeField,
  countdown,
  formatTime,
  normalizeCode,
  type CodeField,
  type CountdownInit,
} from "secondgate/codefield";
import {
  PasskeyError,
  capabilities,
  conditionalGet,
  conditionalSupported,
  create,
  forget,
  fromBase64url,
  get,
  supported,
  toBase64url,
  update,
  type Assertion,
  type CeremonyInit,
  type CreationOptions,
  type PasskeyErrorCode,
  type Registration,
  type RequestOptions,
} from "secondgate/passkey";

const init: ClientInit = { base: "/mfa/", fetch: globalThis.fetch, credentials: "include" };
const client = new Client(init);
new Client();
const controller = new AbortController();
const call: CallInit = { signal: controller.signal };

async function signIn(): Promise<void> {
  const state: State = await client.state(call);
  const purpose: Purpose | undefined = state.purpose;
  const option: Option | undefined = state.options.find((o) => o.default && !o.stopped);
  if (state.next !== "verify" || !option || state.locked) return;
  const sending: SendRequest = { kind: option.kind, factor: option.factor, purpose };
  const sent: Delivery = await client.send(sending);
  console.log(sent.expires_in);
  const request: VerifyRequest = { kind: "email", code: "287549", remember: "Laptop" };
  const done: Verification = await client.verify(request, call);
  if (done.next === "enroll") await enrol(done.kinds ?? []);
  const challenge: Challenge = await client.stepUp();
  const fresh: StepUpRequest = { purpose: "step-up" };
  await client.stepUp(fresh, call);
  const cancelled: CancelRequest = { purpose };
  await client.cancel(cancelled);
  const disabled: UnlockRequest = { kind: "totp", code: "287549" };
  const unlock: Unlock = await client.unlock(disabled);
  const later: Later | undefined = challenge.later;
  const postponed: Postponed = await client.postpone();
  console.log(later?.until, later?.times, postponed.next);
  const nothing: Nothing = await client.signOut();
  console.log(challenge.kinds, unlock.unlocked, unlock.answers_left, nothing, state.sent?.[0]?.hint);
}

async function byPasskey(): Promise<void> {
  if (!supported()) return;
  const can: Record<string, boolean> = await capabilities();
  if (!can["conditionalCreate"]) return;
  const begun: PasswordlessChallenge = await client.beginPasswordless(call);
  const options: RequestOptions = begun.data;
  const ceremony: CeremonyInit = { signal: controller.signal };
  const signed: Assertion = (await conditionalSupported())
    ? await conditionalGet(options, ceremony)
    : await get(options, ceremony);
  const answer: PasswordlessAnswer = { challenge: begun.challenge, code: signed };
  await client.verifyPasswordless(answer);
  await client.verify({ kind: "passkey", code: await get((await client.send({ kind: "passkey" })).data) });
}

async function enrol(kinds: string[]): Promise<void> {
  const { choices, replacing }: Choices = await client.enrollChoices();
  const choice: Choice | undefined = choices[0];
  const { countries }: Countries = await client.countries();
  const country: Country | undefined = countries[0];
  const { questions }: Questions = await client.questionSuggestions();
  console.log(choice?.password, country?.calling_code, questions, replacing);
  const request: EnrollRequest = { kind: kinds[0] ?? "sms", number: "1", region: country?.region };
  const begun: Enrollment = await client.enroll(request);
  if (!begun.enrollment) return;
  const again: ResendRequest = { enrollment: begun.enrollment };
  await client.resend(again);
  await client.mailElsewhere(again);
  await client.cancelEnrollment(again);
  const options: CreationOptions = begun.data;
  const created: Registration = await create(options);
  const confirm: ConfirmRequest = { enrollment: begun.enrollment, code: created };
  const confirmed: Confirmation = await client.confirm(confirm);
  const factor: Factor = confirmed.factor;
  const until: string | undefined = confirmed.waits ? factor.held_until : undefined;
  const address: AddressRequest = { address: "a@b.example", password: "tulip" };
  const moving: Enrollment = await client.changeAddress(address);
  const moved: AddressConfirmRequest = { enrollment: moving.enrollment ?? "", code: "287549" };
  await client.confirmAddress(moved);
  const link: LinkRequest = { token: "t" };
  await client.confirmLink(link);
  const name: RenameRequest = { name: "Laptop" };
  const named: Identified = { id: factor.id };
  const renamed: Renamed = await client.rename({ ...named, ...name });
  const password: RemoveRequest = { password: "secret" };
  const removed: Removed = await client.remove({ id: renamed.id, ...password });
  await forget(removed.data);
  const passkeys: Passkeys | undefined = removed.passkeys;
  if (passkeys) await update(passkeys);
  const all: Factors = await client.factors();
  const preference: Preference = await client.prefer({ kind: "totp" });
  const refused: Preference = await client.decline({ kind: "passkey" });
  console.log(refused.kind, until);
  const implied: Implied = await client.useImplied({ use: false });
  console.log(preference.kind, implied.use);
  const unsaid: CodesRequest = { password: "tulip" };
  const codes: Codes = await client.recoveryCodes(unsaid);
  const saved: SavedRequest = { factor: codes.factor };
  await client.recoveryCodesSaved(saved);
  const happened: AccountHistory = await client.history();
  const newest: HistoryEvent | undefined = happened.events[0];
  console.log(newest?.event, newest?.time, newest?.kind, newest?.by_admin);
  const list: Devices = await client.devices();
  const device: Device | undefined = list.devices[0];
  await client.forgetDevice({ id: device?.id ?? "" });
  await client.forgetDevices();
  await client.sendRecoveryLink();
  const support: SupportRequest = { message: "help" };
  await client.requestSupport(support);
  const setup: SetupRequest = { token: "t" };
  await client.openRecoveryLink(setup);
  console.log(all.recovery_left, codes.codes.length);
}

function explain(err: unknown): string {
  if (err instanceof ApiError) {
    const { code, reason, attemptsLeft = 0, retryAfter = 0, status } = err;
    return `${code} ${reason ?? ""} ${attemptsLeft} ${retryAfter} ${status}`;
  }
  if (err instanceof PasskeyError) {
    const code: PasskeyErrorCode = err.code;
    return code;
  }
  throw new ApiError("network", { cause: err });
}

const field: CodeField = codeField(document.createElement("input"));
const times: CountdownInit = { tick: (n) => console.log(formatTime(n)), soonAt: 10 };
const stop: () => void = countdown(90, times);
stop();
field.clear();
const bytes: Uint8Array = fromBase64url(toBase64url(new Uint8Array(3).buffer));
console.log(field.code, field.input.value, normalizeCode("287 549"), bytes, toBase64url(bytes));
signIn().then(byPasskey).catch(explain);

// What the declarations refuse.
// @ts-expect-error a number would lose leading zeros
client.verify({ kind: "totp", code: 123456 });
// @ts-expect-error the kind is missing
client.send({});
// @ts-expect-error there is no such purpose
client.stepUp({ purpose: "replace" });
// @ts-expect-error a code of another kind
const wrong: PasskeyErrorCode = "incorrect";
// @ts-expect-error a registration is no assertion
client.verify({ kind: "passkey", code: {} as Registration });
console.log(wrong);
