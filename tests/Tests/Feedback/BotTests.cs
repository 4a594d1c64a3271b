using System.Globalization;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback;

/// <summary>
/// Many users at once do whatever they are given. <c>STOA_BOT_SEED</c> repeats a run, <c>STOA_BOT_TASKS</c> lengthens it.
/// </summary>
public sealed class BotTests(ITestOutputHelper output) : IDisposable
{
    private const int Players = 20;

    // Everything that an export takes, found by another way than its own.
    private const string Shown = """
        with recursive shown as (
          select message.* from feedback.message join feedback.message_tree_state on message_tree_state.message_tree_id = message.id
          where state = 'ready_for_export' and review_result and not deleted
          union all
          select reply.* from feedback.message reply
            join shown on shown.id = reply.parent_id where reply.review_result and not reply.deleted
        )
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-bot").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Two_thousand_tasks_of_twenty_users_make_trees_that_can_be_exported()
    {
        var seed = Number("STOA_BOT_SEED") ?? Random.Shared.Next(1_000_000);
        var tasks = Number("STOA_BOT_TASKS") ?? 2_000;
        output.WriteLine($"STOA_BOT_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        await using var site = await ReadingSite.StartAsync(Settings);
        var bot = new Bot(site.Host.Client.BaseAddress!, seed);

        await bot.PlayAsync(Players, tasks);
        await site.Host.RunJobsAsync();

        Assert.Equal("", string.Join('\n', bot.Unexpected));
        Assert.Equal(0, bot.Cut);
        Assert.InRange(bot.Accepted.Count, tasks, tasks + Players);
        Assert.Equal(
            [
                "assistant_reply", "initial_prompt", "label_assistant_reply",
                "label_initial_prompt", "label_prompter_reply", "prompter_reply",
                "rank_assistant_replies",
            ],
            bot.Accepted.Select(one => one.TaskType).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.Equal(bot.Accepted.Count, await site.AskAsync<long>("select count(*) from feedback.task where done"));
        Assert.Empty(await site.BrokenAsync());
        await CheckExportAsync(site);
    }

    internal static Dictionary<string, string?> Settings => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Feedback:RateLimit:Enabled"] = "false",
        ["Feedback:TreeManager:GoalTreeSize"] = "5",
        ["Feedback:TreeManager:MaxInitialPromptReview"] = "15",
        ["Feedback:TreeManager:MaxActiveTrees"] = "20",
    };

    private async Task CheckExportAsync(ReadingSite site)
    {
        var ready = await site.AskAsync<long>("select count(*) from feedback.message_tree_state where state = 'ready_for_export'");
        Assert.True(ready >= 10, $"Only {ready} trees are ready");
        var trees = await ExportAsync(site, "tree");
        Assert.Equal(ready, trees.Count);
        Assert.All(trees, tree => Assert.Equal("ready_for_export", (string?)tree["tree_state"]));
        Assert.Equal(
            await site.AskAsync<long>($"{Shown} select count(*) from shown"), trees.Sum(tree => Messages(tree["prompt"]!, "prompter")));

        var pairs = await ExportAsync(site, "preference");
        Assert.Equal(
            await site.AskAsync<long>($"""
                {Shown} select count(*) from shown better join shown worse on worse.parent_id = better.parent_id
                where better.role = 'assistant' and better.rank < worse.rank
                """),
            pairs.Count);
        Assert.NotEmpty(pairs);
        Assert.All(pairs, pair => Assert.NotEqual(pair["chosen"]!.ToJsonString(), pair["rejected"]!.ToJsonString()));
        Assert.All(pairs, pair => Assert.Equal("user", (string?)pair["prompt"]!.AsArray()[^1]!["role"]));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ready} trees are ready, with {pairs.Count} pairs."));
    }

    private async Task<List<JsonNode>> ExportAsync(ReadingSite site, string format)
    {
        var path = Path.Combine(folder, $"{format}.jsonl");
        await site.CommandAsync((commands, tell) => commands.ExportAsync(path, new() { Format = format }, Stream.Null, tell, Ct));
        return [.. File.ReadLines(path).Select(line => JsonNode.Parse(line)!)];
    }

    /// <summary>How many there are; the roles alternate.</summary>
    private static int Messages(JsonNode message, string role)
    {
        Assert.Equal(role, (string?)message["role"]);
        return 1 + message["replies"]!.AsArray().Sum(reply => Messages(reply!, role == "prompter" ? "assistant" : "prompter"));
    }

    internal static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
