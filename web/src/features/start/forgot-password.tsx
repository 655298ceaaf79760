import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { api, dataOf, Failure } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { DOOR_FORM, Door, DoorHead } from "./door";

/** Asks for the e-mail that a forgotten password is replaced by. The answer does not say who has an account. */
export function ForgotPassword() {
  const ask = useMutation({
    mutationFn: (email: string) => dataOf(api.POST("/api/auth/forgot-password", { body: { email } })),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    ask.mutate(String(new FormData(event.currentTarget).get("email")).trim());
  };
  const problem =
    ask.error instanceof Failure ? ask.error.details.find(({ field }) => field === "email")?.message : undefined;
  const hasNoMail = ask.error instanceof Failure && ask.error.code === "mail_not_configured";
  return (
    <Door>
      {ask.isSuccess ? (
        <div className={DOOR_FORM} role="status">
          <DoorHead
            title="Look into your mail"
            hint={`If there is an account for ${ask.variables}, an e-mail is on its way. Its link works once, for half an hour.`}
          />
          <Link to="/reset-password" className="rounded font-medium text-accent-text hover:underline">
            I have a code
          </Link>
        </div>
      ) : (
        <form onSubmit={submit} noValidate className={DOOR_FORM}>
          <DoorHead title="Forgotten the password" hint="You get an e-mail with a link to set a new one." />
          <Field label="E-mail" problem={problem}>
            {(parts) => <Input {...parts} name="email" type="email" autoComplete="username" required />}
          </Field>
          {hasNoMail ? (
            <p role="alert" className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
              This installation sends no e-mail. Ask its administrator for a new password.
            </p>
          ) : (
            <InlineFailure failure={problem ? null : ask.error} />
          )}
          <Button type="submit" look="primary" busy={ask.isPending}>
            Send the e-mail
          </Button>
        </form>
      )}
      <p className="mt-4 text-center">
        <Link to="/" className="rounded font-medium text-accent-text hover:underline">
          Log in instead
        </Link>
      </p>
    </Door>
  );
}
