using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Privacy;

namespace Stoa.Tests.Feedback.Privacy;

/// <summary>What is kept about a person who takes part under a sign-in that is linked to his account.</summary>
public sealed class FeedbackDataTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_export_holds_what_the_person_did_and_nothing_of_others()
    {
        await using var site = await (await ReadingSite.StartAsync()).WithUsersAsync();
        var person = await LinkAsync(site);
        await ContributeAsync(site);

        using var bytes = new MemoryStream();
        await using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            await WithDataAsync(site, data => data.ExportAsync(person, new(zip, data.Name), Ct));
        }
        bytes.Position = 0;
        await using var read = new ZipArchive(bytes);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in read.Entries)
        {
            using var reader = new StreamReader(await entry.OpenAsync(Ct));
            files[entry.FullName] = await reader.ReadToEndAsync(Ct);
        }

        Assert.Equal(
            ["emojis", "labels", "messages", "rankings", "revisions", "tasks", "users"],
            files.Keys.Select(name => name["feedback/".Length..^".json".Length]).Order(StringComparer.Ordinal));
        Assert.Equal("Alice", (string)JsonNode.Parse(files["feedback/users.json"])![0]!["display_name"]!);
        Assert.Equal("hers", (string)Assert.Single(JsonNode.Parse(files["feedback/messages.json"])!.AsArray())!["text"]!);
        Assert.Single(JsonNode.Parse(files["feedback/labels.json"])!.AsArray());
        Assert.DoesNotContain("bob", string.Concat(files.Values), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_erasure_takes_the_names_and_leaves_the_trees()
    {
        await using var site = await (await ReadingSite.StartAsync()).WithUsersAsync();
        var person = await LinkAsync(site);
        await ContributeAsync(site);

        await WithDataAsync(site, data => data.EraseAsync(person, Ct));
        await WithDataAsync(site, data => data.EraseAsync(person, Ct));

        Assert.Equal($"Deleted User deleted_{ReadingSite.Alice} false true", await site.AskAsync<string>(
            $"select display_name || ' ' || username || ' ' || enabled || ' ' || deleted from feedback.user where id = '{ReadingSite.Alice}'"));
        Assert.Equal("Bob bob true false", await site.AskAsync<string>(
            $"select display_name || ' ' || username || ' ' || enabled || ' ' || deleted from feedback.user where id = '{ReadingSite.Bob}'"));
        Assert.Equal(0, await site.AskAsync<long>("select count(*) from feedback.user where to_jsonb(\"user\")::text ilike '%alice%'"));
        Assert.Equal(2, await site.AskAsync<long>("select count(*) from feedback.message"));
        var user = new { id = $"deleted_{ReadingSite.Alice}", display_name = "x", auth_method = "local" };
        Assert.Equal(503, (await site.SendAsync("POST", "/tasks/", new { type = "random", user })).Status);
    }

    /// <summary>Alice is a person with an account, who signs in with Discord as <c>alice</c>.</summary>
    private static async Task<Guid> LinkAsync(ReadingSite site)
    {
        var person = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        await site.RunAsync($"""
            update feedback.user set auth_method = 'discord' where id = '{ReadingSite.Alice}';
            insert into platform.people (id, name, locale, time_zone, state, created_at)
              values ('{person}', 'A', 'en', 'UTC', 'active', now());
            insert into platform.external_accounts (person_id, provider, subject, linked_at) values ('{person}', 'discord', 'alice', now())
            """);
        return person;
    }

    private static async Task ContributeAsync(ReadingSite site)
    {
        var root = await site.SayAsync(ReadingSite.Alice, "hers");
        var reply = await site.SayAsync(ReadingSite.Bob, "of the other", root);
        await site.LabelAsync(ReadingSite.Alice, reply, """{"spam":0}""");
        await site.LabelAsync(ReadingSite.Bob, root, """{"spam":0}""");
    }

    private static async Task WithDataAsync(ReadingSite site, Func<IPersonalData, Task> act)
    {
        await using var scope = site.Host.Services.CreateAsyncScope();
        await act(scope.ServiceProvider.GetServices<IPersonalData>().Single(data => data.Name == "feedback"));
    }
}
