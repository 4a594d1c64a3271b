using System.CommandLine;
using System.Globalization;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Host.Verbs;

/// <summary>Runs work with the host's services over a migrated database, then lets both go.</summary>
internal delegate Task<int> WithServices(Func<IServiceProvider, CancellationToken, Task<int>> work, CancellationToken ct);

/// <summary><c>stoa keys create|list|revoke|rotate</c>: what an operator does with keys, over all organizations.</summary>
internal static class KeysVerb
{
    private const string Actor = "cli";

    private static readonly Argument<string> Key = new("key") { Description = "Id or prefix of the key" };

    public static Command Create(WithServices withServices) =>
        new("keys", "API keys: create, list, revoke, rotate")
        {
            CreateCommand(withServices), ListCommand(withServices), RevokeCommand(withServices), RotateCommand(withServices),
        };

    private static Command CreateCommand(WithServices withServices)
    {
        var name = new Option<string>("--name") { Description = "What the key is for", Required = true };
        var organization = OrganizationOption();
        var newOrganization = new Option<bool>("--new-organization") { Description = "Make the organization if there is none" };
        var admin = new Option<bool>("--admin") { Description = "May manage its organization" };
        var models = ListOption("--models", "Models it may use (default: any)");
        var providers = ListOption("--providers", "Providers it may use (default: any)");
        var requests = new Option<int?>("--rpm") { Description = "Requests per minute (default: no limit)" };
        var tokens = new Option<int?>("--tpm") { Description = "Tokens per minute (default: no limit)" };
        var expires = new Option<DateTimeOffset?>("--expires")
        {
            Description = "When it ends in UTC, such as 2027-01-31 (default: never)",
            CustomParser = Instant,
        };
        var command = new Command("create", "Create a key; its token is printed once")
        {
            name, organization, newOrganization, admin, models, providers, requests, tokens, expires,
        };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async (keys, services) =>
        {
            var terms = new KeyTerms(
                parsed.GetRequiredValue(name), parsed.GetValue(admin), Scopes(parsed.GetValue(models)), Scopes(parsed.GetValue(providers)),
                parsed.GetValue(requests), parsed.GetValue(tokens), parsed.GetValue(expires));
            Failure.ThrowIfAny(terms.Check(services.GetRequiredService<TimeProvider>().GetUtcNow()));
            var slug = parsed.GetRequiredValue(organization);
            var owner = parsed.GetValue(newOrganization)
                ? await keys.EnsureOrganizationAsync(slug, Actor, ct)
                : await FindOrganizationAsync(keys, slug, ct);
            await ShowAsync(parsed, await keys.CreateAsync(owner.Id, terms, Actor, ct));
        }, ct));
        return command;
    }

    private static Command ListCommand(WithServices withServices)
    {
        var organization = OrganizationOption();
        var command = new Command("list", "List the keys of an organization") { organization };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async (keys, _) =>
        {
            const int page = 200;
            var owner = await FindOrganizationAsync(keys, parsed.GetRequiredValue(organization), ct);
            var output = parsed.InvocationConfiguration.Output;
            Guid? after = null;
            List<KeyRow> rows;
            do
            {
                rows = await keys.ListAsync(owner.Id, after, page, ct);
                foreach (var row in rows)
                {
                    await output.WriteLineAsync(Line(row));
                    after = row.Id;
                }
            }
            while (rows.Count == page);
        }, ct));
        return command;
    }

    private static Command RevokeCommand(WithServices withServices)
    {
        var command = new Command("revoke", "Revoke a key on every node") { Key };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async (keys, _) =>
        {
            var row = await FindKeyAsync(keys, parsed, ct);
            var isNew = await keys.RevokeAsync(row.OrganizationId, row.Id, Actor, ct);
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"{row.Prefix} {(isNew ? "is revoked" : "was revoked before")}");
        }, ct));
        return command;
    }

    private static Command RotateCommand(WithServices withServices)
    {
        var overlap = new Option<int>("--overlap-minutes")
        {
            Description = "How long the old key goes on working",
            DefaultValueFactory = _ => RotationTerms.DefaultOverlapMinutes,
        };
        var command = new Command("rotate", "Replace a key; the old one works until the overlap ends") { Key, overlap };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async (keys, _) =>
        {
            var terms = new RotationTerms(parsed.GetValue(overlap));
            Failure.ThrowIfAny(terms.Check());
            var row = await FindKeyAsync(keys, parsed, ct);
            await ShowAsync(parsed, await keys.RotateAsync(row.OrganizationId, row.Id, terms.Overlap, Actor, ct));
        }, ct));
        return command;
    }

    private static Task<int> RunAsync(
        ParseResult parsed, WithServices withServices, Func<KeyStore, IServiceProvider, Task> work, CancellationToken ct) =>
        withServices(
            async (services, _) =>
            {
                try
                {
                    await work(services.GetRequiredService<KeyStore>(), services);
                    return 0;
                }
                catch (Failure failure)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(failure.Message);
                    return 1;
                }
            },
            ct);

    private static async Task ShowAsync(ParseResult parsed, NewKey made)
    {
        var configuration = parsed.InvocationConfiguration;
        // The token alone on the output, so that a script can keep it.
        await configuration.Output.WriteLineAsync(made.Token);
        await configuration.Error.WriteLineAsync($"{Line(made.Row)}\nThis is the only time the token is shown.");
    }

    private static async Task<Organization> FindOrganizationAsync(KeyStore keys, string slug, CancellationToken ct) =>
        await keys.FindOrganizationAsync(slug, ct) ?? throw Failure.NotFound($"Organization '{slug}'");

    private static async Task<KeyRow> FindKeyAsync(KeyStore keys, ParseResult parsed, CancellationToken ct) =>
        await keys.FindAsync(parsed.GetRequiredValue(Key), ct) ?? throw Failure.NotFound($"Key '{parsed.GetRequiredValue(Key)}'");

    private static Option<string> OrganizationOption() => new("--organization")
    {
        Description = "The organization's short name",
        DefaultValueFactory = _ => "default",
    };

    private static Option<string[]> ListOption(string name, string description) =>
        new(name) { Description = description, AllowMultipleArgumentsPerToken = true };

    private static string[]? Scopes(string[]? given) =>
        given is { Length: > 0 }
            ? [.. given.SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))]
            : null;

    private static string Line(KeyRow row)
    {
        var state = row switch
        {
            { RevokedAt: { } at } => $"revoked {Date(at)}",
            { ReplacedBy: not null, ExpiresAt: { } at } => $"replaced, works until {Date(at)}",
            { ExpiresAt: { } at } => $"ends {Date(at)}",
            _ => "never ends",
        };
        var used = row.LastUsedAt is { } last ? $"last used {Date(last)}" : "never used";
        return $"{row.Prefix}  {row.Id}  {row.Name}{(row.IsAdmin ? " (admin)" : "")}, {state}, {used}";
    }

    private static string Date(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Instant(System.CommandLine.Parsing.ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant))
        {
            return instant;
        }
        result.AddError($"'{text}' is no date");
        return null;
    }
}
