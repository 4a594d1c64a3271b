using System.CommandLine;
using System.Globalization;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Host.Verbs;

/// <summary><c>stoa people reset-password</c>: the way in again when nobody who could help can sign in.</summary>
internal static class PeopleVerb
{
    public static Command Create(WithServices withServices)
    {
        var email = new Argument<string>("email") { Description = "The address that the person signs in with" };
        var reset = new Command("reset-password", "Make a link for a new password; it is printed once") { email };
        reset.SetAction((parsed, ct) => withServices(
            async (services, _) =>
            {
                var configuration = parsed.InvocationConfiguration;
                await using var scope = services.CreateAsyncScope();
                try
                {
                    var person = await scope.ServiceProvider.GetRequiredService<PersonStore>()
                        .FindByEmailAsync(parsed.GetRequiredValue(email), ct)
                        ?? throw Failure.NotFound("Person");
                    var made = await scope.ServiceProvider.GetRequiredService<PasswordResets>().CreateAsync(person.Id, "cli", ct);
                    await configuration.Output.WriteLineAsync($"/password-reset?token={made.Token}");
                    await configuration.Error.WriteLineAsync(string.Create(
                        CultureInfo.InvariantCulture,
                        $"Put the host's address before it. It works once, until {made.ExpiresAt:yyyy-MM-dd HH:mm'Z'}."));
                    return 0;
                }
                catch (Failure failure)
                {
                    await configuration.Error.WriteLineAsync(failure.Message);
                    return 1;
                }
            },
            ct));
        return new("people", "People: a new password for somebody who has forgotten it") { reset };
    }
}
