import { useMutation } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { api, dataOf, Failure } from "@/api/client";
import { signedOut } from "@/api/session";
import { Button, buttonClasses } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { DOOR_FORM, Door, DoorHead } from "./door";

/** The token of a link, or of what somebody pasted: the link, or the code alone. */
const tokenOf = (text: string): string => /(?:^|[#&])token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();

/** Sets a new password by the token of an e-mail. It stands behind `#`, which no server and no log gets to see. */
export function ResetPassword() {
  const hash = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  const [token, setToken] = useState(() => (hash ? tokenOf(hash) : ""));
  useEffect(() => {
    if (!hash) return;
    // What sets a password is not left in the address, where the next person would find it.
    setToken(tokenOf(hash));
    void navigate({ to: "/reset-password", hash: "", replace: true });
  }, [hash, navigate]);
  const reset = useMutation({
    mutationFn: (body: { token: string; newPassword: string }) =>
      dataOf(api.POST("/api/auth/reset-password", { body })),
    onSuccess: signedOut,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    reset.mutate({ token: token || tokenOf(String(form.get("code"))), newPassword: String(form.get("newPassword")) });
  };
  const problem =
    reset.error instanceof Failure
      ? reset.error.details.find(({ field }) => field === "newPassword")?.message
      : undefined;
  const isSpent = reset.error instanceof Failure && reset.error.code === "invalid_reset_token";
  if (reset.isSuccess) {
    return (
      <Door>
        <div className={DOOR_FORM} role="status">
          <DoorHead
            title="The password is changed"
            hint="Every log-in of the account has ended. Log in with the new one."
          />
          <Link to="/" className={buttonClasses("primary")}>
            Log in
          </Link>
        </div>
      </Door>
    );
  }
  return (
    <Door>
      <form onSubmit={submit} noValidate className={DOOR_FORM}>
        <DoorHead title="Set a new password" hint="Every log-in of the account ends, here and elsewhere." />
        {!token && (
          <Field label="Code" hint="Paste the link of the e-mail, or what follows “token=” in it.">
            {(parts) => <Input {...parts} name="code" autoComplete="off" required />}
          </Field>
        )}
        <Field label="New password" hint="At least 8 characters." problem={problem}>
          {(parts) => <Input {...parts} name="newPassword" type="password" autoComplete="new-password" required />}
        </Field>
        <InlineFailure failure={problem ? null : reset.error} />
        {isSpent && (
          <Link to="/forgot-password" className={buttonClasses()}>
            Ask for another e-mail
          </Link>
        )}
        <Button type="submit" look="primary" busy={reset.isPending}>
          Set the password
        </Button>
      </form>
      <p className="mt-4 text-center">
        <Link to="/" className="rounded font-medium text-accent-text hover:underline">
          Log in instead
        </Link>
      </p>
    </Door>
  );
}
