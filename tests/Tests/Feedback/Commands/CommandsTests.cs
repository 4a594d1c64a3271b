using Microsoft.AspNetCore.Http;
using Stoa.Feedback.Commands;
using Stoa.Feedback.Journal;
using Stoa.Platform.Http;
using Stoa.Tests.Platform.Egress;

namespace Stoa.Tests.Feedback.Commands;

/// <summary>What an operator does with trees from the command line.</summary>
public sealed class CommandsTests(SharedReading shared) : IClassFixture<SharedReading>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("stoa-commands").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Rebuild_puts_a_tree_where_the_journal_says_when_it_is_committed()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var tree = await site.SayAsync(ReadingSite.Alice, "prompt");
        await NoteAsync(site, tree, "growing");
        await NoteAsync(site, tree, "halted_by_moderator");

        var dry = await site.CommandAsync((commands, tell) => commands.RebuildAsync(commit: false, tell, Ct));
        var before = await StateAsync(site, tree);
        Assert.Contains(await site.BrokenAsync(), line => line.Contains("the journal says last", StringComparison.Ordinal));
        await site.CommandAsync((commands, tell) => commands.RebuildAsync(commit: true, tell, Ct));

        Assert.StartsWith("1 trees would be put", dry[0], StringComparison.Ordinal);
        Assert.Equal(("growing true", "halted_by_moderator false"), (before, await StateAsync(site, tree)));
        Assert.DoesNotContain(await site.BrokenAsync(), line => line.Contains("the journal says last", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Scoring_is_tried_again_where_it_failed()
    {
        await using var site = await (await ReadingSite.StartAsync(new() { ["Feedback:TreeManager:NumRequiredRankings"] = "1" }))
            .WithUsersAsync();
        var (ranked, one, two) = await TreeAsync(site);
        var (unranked, _, _) = await TreeAsync(site);
        await site.RankAsync(ReadingSite.Alice, ranked, two, one);
        await site.RunAsync("update feedback.message_tree_state set state = 'scoring_failed', active = false");

        var told = await site.CommandAsync((commands, tell) => commands.RetryScoringAsync(tell, Ct));

        Assert.Equal("2 trees looked at again: 1 are ready for export, 1 are not.", told[0]);
        Assert.Equal(("ready_for_export false", "ranking true"), (await StateAsync(site, ranked), await StateAsync(site, unranked)));
        Assert.Equal($"{two} {one}",
            await site.AskAsync<string>("select string_agg(id::text, ' ' order by rank) from feedback.message where rank is not null"));
        Assert.Equal(unranked, await site.AskAsync<Guid>("select message_id from feedback.offer where work = 'ranking'"));
    }

    [Fact]
    public async Task Attributes_are_asked_for_where_they_are_missing()
    {
        await using var model = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var text = await reader.ReadToEndAsync(Ct);
            context.Response.StatusCode = text.Contains("refused", StringComparison.Ordinal) ? 400 : 200;
            await context.Response.WriteAsync("""[[{"label":"toxic","score":0.5}]]""", Ct);
        });
        await using var site = await (await ReadingSite.StartAsync(new()
        {
            ["Feedback:HuggingFace:ApiKey"] = "hf",
            ["Feedback:HuggingFace:ToxicityUrl"] = model.Url.AbsoluteUri,
            ["Feedback:HuggingFace:SkipEmbedding"] = "true",
        })).WithUsersAsync();
        await site.SayAsync(ReadingSite.Alice, "one", more: "created_date = now() - interval '1 year'");
        var refused = await site.SayAsync(ReadingSite.Alice, "refused");
        await site.SayAsync(ReadingSite.Alice, "two");

        var first = await site.CommandAsync((commands, tell) => commands.UpdateAttributesAsync(TimeSpan.Zero, tell, Ct));
        var second = await site.CommandAsync((commands, tell) => commands.UpdateAttributesAsync(TimeSpan.Zero, tell, Ct));

        Assert.StartsWith($"{refused}: ", first[0], StringComparison.Ordinal);
        Assert.Equal(("2 messages looked at, 1 failed.", "0 messages looked at, 1 failed."), (first[^1], second[^1]));
        Assert.Equal(2, await site.AskAsync<long>("select count(*) from feedback.message_toxicity where score = 0.5"));
    }

    [Fact]
    public async Task Attributes_need_a_key()
    {
        var site = await shared.FreshAsync();
        var failure = await Assert.ThrowsAsync<Failure>(() =>
            site.CommandAsync((commands, tell) => commands.UpdateAttributesAsync(TimeSpan.Zero, tell, Ct)));
        Assert.Contains("ApiKey", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_that_was_cut_goes_on_and_ends_with_the_same_bytes()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await site.RunAsync($"""
            insert into feedback.message (id, message_tree_id, user_id, role, api_client_id, frontend_message_id, text, review_result)
            select id, id, '{ReadingSite.Alice}', 'prompter', (select id from feedback.api_client where trusted), id::text, 'text', true
            from (select ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid as id
              from generate_series(1, 2500) as number) as made;
            insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state, active)
            select id, 1, 3, 3, 'ready_for_export', false from feedback.message;
            """);
        var terms = new ExportTerms();
        await site.CommandAsync((commands, tell) => commands.ExportAsync(At("whole.jsonl.gz"), terms, Stream.Null, tell, Ct));

        await Assert.ThrowsAsync<OperationCanceledException>(() => site.CommandAsync(
            (commands, _) =>
                commands.ExportAsync(At("cut.jsonl.gz"), terms, Stream.Null, told => throw new OperationCanceledException(told), Ct)));
        Assert.False(File.Exists(At("cut.jsonl.gz")));
        var told = await site.CommandAsync((commands, tell) => commands.ExportAsync(At("cut.jsonl.gz"), terms, Stream.Null, tell, Ct));

        Assert.Equal("Goes on after tree 00000000-0000-7000-8000-000000001000.", told[0]);
        Assert.Equal(File.ReadAllBytes(At("whole.jsonl.gz")), File.ReadAllBytes(At("cut.jsonl.gz")));
        Assert.Contains("2500 rows", told[^1], StringComparison.Ordinal);
    }

    /// <summary>A prompt with two accepted answers.</summary>
    private static async Task<(Guid Tree, Guid One, Guid Two)> TreeAsync(ReadingSite site)
    {
        var tree = await site.SayAsync(ReadingSite.Alice, "prompt");
        return (tree, await site.SayAsync(ReadingSite.Bob, "one", tree), await site.SayAsync(ReadingSite.Alice, "two", tree));
    }

    private static Task NoteAsync(ReadingSite site, Guid tree, string state) => site.RunAsync($"""
        insert into feedback.journal (id, message_tree_id, api_client_id, event_type, event_payload)
        select '{JournalId.Next(TimeProvider.System.GetUtcNow())}', '{tree}', id, 'tree_state', jsonb_build_object('to', '{state}')
        from feedback.api_client where trusted
        """);

    private static Task<string> StateAsync(ReadingSite site, Guid tree) =>
        site.AskAsync<string>($"select state || ' ' || active from feedback.message_tree_state where message_tree_id = '{tree}'");

    private string At(string name) => Path.Combine(folder, name);
}
