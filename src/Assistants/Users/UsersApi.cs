using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Users;

/// <summary>Accounts, and what a user tells about himself.</summary>
internal static class UsersApi
{
    public static void MapUsers(this IEndpointRouteBuilder surface)
    {
        var users = surface.MapGroup("").WithTags("user");
        users.MapPut("/user", RegisterAsync).AllowAnyone().WithSummary("Register");
        users.MapPost("/user", LogInAsync).AllowAnyone().WithSummary("Log in");
        users.MapPost("/password", ForgetPasswordAsync).AllowAnyone().WithSummary("Have a link for a new password mailed");
        users.MapPut("/password", SetPasswordAsync).AllowAnyone().WithSummary("Set a new password by a link");
        users.MapPut("/terms_and_conditions", AcceptTermsAsync).RequireMojodexUser().WithSummary("Accept terms and conditions");
        users.MapPost("/timezone", SetTimezoneAsync).RequireMojodexUser().WithSummary("Set the time zone");
        users.MapPut("/goal", SetGoalAsync).RequireMojodexUser().WithSummary("Set the business goal");
        users.MapPost("/user_summary", SummarizeAsync).RequireMojodexService(MojodexService.Background).WithMetadata(WireTexts.Callback)
            .WithSummary("Store the summary of a session's user");
    }

    internal static Task<Ok<LoggedIn>> RegisterAsync(
        Body<NewUser> body, HttpContext http, Accounts accounts, MojodexTokens tokens, Guesses guesses, CancellationToken ct)
    {
        var user = body.Value;
        return GuardedAsync(http, guesses, tokens, user.Email,
            () => accounts.RegisterAsync(user.Email, user.Name, user.Password, user.LanguageCode, ct));
    }

    internal static Task<Ok<LoggedIn>> LogInAsync(
        Body<Login> body, HttpContext http, Accounts accounts, MojodexTokens tokens, Guesses guesses, CancellationToken ct)
    {
        var login = body.Value;
        return GuardedAsync(http, guesses, tokens, $"{login.Email}\0{login.Secret}", () => login.Method switch
        {
            "email_password" => accounts.ProveAsync(login.Email, login.Secret, ct),
            "google" => accounts.GoogleAsync(login.Secret, ct),
            _ => throw Accounts.NotConfigured(login.Method),
        });
    }

    /// <summary>The answer is the same whoever it is asked for: it tells nobody which addresses have an account.</summary>
    internal static async Task<Ok<Success>> ForgetPasswordAsync(
        Body<Forgotten> body, AssistantsDb db, PasswordLinks links, CancellationToken ct)
    {
        if (!links.IsConfigured)
        {
            throw Failure.Invalid("Passwords cannot be set anew here: no mail is sent", code: "mail_not_configured");
        }
        if (await Accounts.ByEmailAsync(db, body.Value.Email, ct) is { } user)
        {
            var mail = new SendAccountMail(user.Id, AccountMailKind.ResetForgottenPassword);
            db.Enqueue(mail, mail.Once(JobOwners.Of(user)));
            await db.SaveChangesAsync(ct);
        }
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> SetPasswordAsync(
        Body<NewPassword> body, HttpContext http, PasswordLinks links, Guesses guesses, CancellationToken ct)
    {
        guesses.Check(http);
        try
        {
            await links.SetAsync(body.Value.Token, body.Value.Password, ct);
            return TypedResults.Ok(Success.Instance);
        }
        catch (Failure refusal) when (refusal.Code is "wrong_credentials")
        {
            throw guesses.Count(http, body.Value.Token, refusal);
        }
    }

    internal static async Task<Ok<Success>> AcceptTermsAsync(
        Body<Nothing> body, MojodexCaller caller, UserStore users, AssistantsDb db, TimeProvider time, CancellationToken ct)
    {
        _ = body;
        var user = await users.OwnAsync(caller.UserId!, ct);
        user.TermsAcceptedAt ??= time.GetUtcNow();
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<SuccessText>> SetTimezoneAsync(
        Body<Timezone> body, MojodexCaller caller, UserStore users, AssistantsDb db, TimeProvider time, CancellationToken ct)
    {
        var user = await users.OwnAsync(caller.UserId!, ct);
        body.Value.ApplyTo(user, time.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new SuccessText("Timezone updated"));
    }

    internal static async Task<Ok<SuccessText>> SetGoalAsync(
        Body<NewGoal> body, MojodexCaller caller, UserStore users, AssistantsDb db, CancellationToken ct)
    {
        (await users.OwnAsync(caller.UserId!, ct)).Goal = body.Value.Goal;
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new SuccessText("Goal updated"));
    }

    internal static async Task<Ok<Success>> SummarizeAsync(Body<UserSummary> body, UserStore users, CancellationToken ct) =>
        await users.SummarizeAsync(body.Value.SessionId, body.Value.Summary, ct)
            ? TypedResults.Ok(Success.Instance)
            : throw Failure.Invalid($"Invalid session_id: {body.Value.SessionId}", "session_id");

    /// <summary>An address that has guessed too often is not even told that one was right.</summary>
    private static async Task<Ok<LoggedIn>> GuardedAsync(
        HttpContext http, Guesses guesses, MojodexTokens tokens, string credential, Func<Task<UserRow>> find)
    {
        if (!tokens.CanIssue)
        {
            throw Failure.Invalid("Users cannot log in here: no secret for their tokens is set", code: "login_not_configured");
        }
        guesses.Check(http);
        try
        {
            var user = await find();
            return TypedResults.Ok(new LoggedIn(
                tokens.Issue(user.Id, user.TokenVersion), user.LanguageCode, user.Name, user.TermsAcceptedAt is not null, user.CompanyId));
        }
        catch (Failure refusal) when (refusal.Code is "wrong_credentials" or "email_taken")
        {
            throw guesses.Count(http, credential, refusal);
        }
    }

    internal sealed record LoggedIn(
        string Token, string LanguageCode, string Name, bool TermsAndConditionsAgreed,
        [property: JsonPropertyName("company_fk")] int? CompanyId);

    internal sealed record Nothing : IArguments<Nothing>
    {
        public static Nothing Read(Fields fields) => new();
    }

    internal sealed record NewUser(string Email, string Name, string Password, string LanguageCode) : IArguments<NewUser>
    {
        public static NewUser Read(Fields fields)
        {
            var user = new NewUser(
                fields.Text("email", Fields.ShortText), fields.Text("name", Fields.ShortText), fields.Text("password"),
                Languages.LanguageCode.Read(fields, "language_code", isRequired: false) ?? "en");
            // Sent by clients and of no use: their own version, and whether somebody of the original's staff should look at new users.
            fields.OptionalText("version");
            fields.OptionalFlag("skip_user_validation");
            return user;
        }
    }

    internal sealed record Forgotten(string Email) : IArguments<Forgotten>
    {
        public static bool HasDatetime => false;

        public static Forgotten Read(Fields fields) => new(fields.Text("email", Fields.ShortText));
    }

    internal sealed record NewPassword(string Token, string Password) : IArguments<NewPassword>
    {
        public static bool HasDatetime => false;

        public static NewPassword Read(Fields fields) => new(fields.Text("token", 2_000), fields.Text("new_password"));
    }

    /// <param name="Secret">The password, or the token of whoever vouches for him.</param>
    internal sealed record Login(string Email, string Method, string Secret) : IArguments<Login>
    {
        public static Login Read(Fields fields)
        {
            var email = fields.Text("email", 1_000);
            var method = fields.Choice("login_method", "email_password", "google", "microsoft", "apple");
            var google = fields.OptionalText("google_token");
            fields.OptionalText("microsoft_token");
            fields.OptionalText("apple_token");
            fields.OptionalText("apple_authorization_code");
            fields.OptionalText("version");
            var password = fields.OptionalText("password");
            return method switch
            {
                "email_password" when !fields.IsDocument => new(email, method, password ?? throw fields.Missing("password")),
                "google" => new(email, method, google ?? throw fields.Missing("google_token")),
                _ => new(email, method, ""),
            };
        }
    }

    internal sealed record Timezone(int Offset, string? Name) : IArguments<Timezone>
    {
        // As far as clocks on earth are from UTC, and as far as an instant can be written with its offset.
        private const int MostMinutes = 14 * 60;

        public static Timezone Read(Fields fields)
        {
            var zone = new Timezone(fields.Integer("timezone_offset"), fields.OptionalText("timezone_name", 100));
            return zone.Offset is < -MostMinutes or > MostMinutes ? throw fields.Wrong("timezone_offset")
                : zone.Name is not null && !TimeZoneInfo.TryFindSystemTimeZoneById(zone.Name, out _) ? throw fields.Wrong("timezone_name")
                : zone;
        }

        /// <summary>
        /// A client that knows no name tells by the offset that its user has moved: then the name of before is no longer his.
        /// </summary>
        public void ApplyTo(UserRow user, DateTimeOffset now)
        {
            var wasThere = user.TimezoneName is not null
                && new LocalTime(user.TimezoneName, null).At(now) == new LocalTime(null, Offset).At(now);
            user.TimezoneName = Name ?? (wasThere ? user.TimezoneName : null);
            user.TimezoneOffset = Offset;
        }
    }

    internal sealed record NewGoal(string Goal) : IArguments<NewGoal>
    {
        // It stands in each prompt.
        private const int Longest = 10_000;

        public static NewGoal Read(Fields fields) => new(fields.Text("goal", Longest));
    }

    internal sealed record UserSummary(string SessionId, string Summary) : IArguments<UserSummary>
    {
        public static UserSummary Read(Fields fields)
        {
            var summary = fields.Text("summary");
            return new(fields.Text("session_id", Fields.ShortText), summary);
        }
    }
}
