using System.Globalization;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants;

/// <summary>What a process took, run by run, as its user and the operator see it.</summary>
public sealed class SpendingTests
{
    // Of the price list: 2 and 8 dollars for a million tokens.
    private const string Model = "gpt-4.1";

    [Fact]
    public async Task Each_run_of_a_process_shows_its_time_its_error_and_what_it_cost()
    {
        await using var thinking = await ThinkingSite.StartAsync("2027-11-01T10:00:00Z", ("Assistants:Models:0", $"openai/{Model}"));
        var site = thinking.Site;
        var user = await site.UserAsync("Ada");
        var execution = await site.ExecutionAsync(user, ["I met Bob"]);
        var half = ScriptedAnswer.Text("<title>Half</title>").WithUsage(new(100, 10));
        thinking.Provider.EnqueueFor(
            Model, half, half, half, half, ScriptedAnswer.Text("<title>Bob</title><summary>Met.</summary>").WithUsage(new(1_000, 20)));

        await site.OkAsync(authorization: null, HttpMethod.Post, "/background/user_task_execution_title_and_summary",
            new() { ["user_task_execution_pk"] = execution.Execution });
        var job = await site.ValueAsync<Guid>(
            "select id from platform.jobs where kind = 'assistants.title_and_summary' union all select id from platform.finished_jobs where kind = 'assistants.title_and_summary'");
        await Patience.UntilAsync(() => site.ValueAsync<bool>("select exists (select from platform.finished_jobs where id = $1)", job));
        var status = await site.OkAsync(user.Token, HttpMethod.Get, $"/jobs/{job}");

        var runs = status["runs"]!.AsArray();
        Assert.Equal(["1 failed", "2 succeeded"], runs.Select(run => $"{run!["run"]} {run["state"]}"));
        Assert.Equal(["4 400 40 0.00112", "1 1000 20 0.00216"], runs.Select(Words));
        Assert.Equal("5 1400 60 0.00328", Words(status.DeepClone()));
        Assert.Equal("The model's answer cannot be used: there is nothing between <summary> and </summary>", (string?)runs[0]!["error"]);
        Assert.All(runs, run => Assert.True((long)run!["duration_ms"]! >= 0));
        using var seen = new HttpRequestMessage(HttpMethod.Get, $"/api/stoa/jobs/{job}");
        seen.Headers.Authorization = new("Bearer", "stoa-dev");
        using var answer = await site.Host.Client.SendAsync(seen, TestContext.Current.CancellationToken);
        var history = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["history"]!.AsArray();
        Assert.Equal([400, 1_000], history.Select(entry => (int)entry!["spent"]!["input_tokens"]!));

        static string Words(JsonNode? of) =>
            string.Join(' ', of!["spent"]!["calls"], of["spent"]!["input_tokens"], of["spent"]!["output_tokens"],
                of["spent"]!["cost"]!.GetValue<decimal>().ToString("0.######", CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Vectors_are_counted_too_and_what_has_no_price_has_no_cost()
    {
        await using var thinking = await ThinkingSite.StartAsync("2027-11-01T10:00:00Z", ("Assistants:EmbeddingModel", "demo/demo"));
        var site = thinking.Site;
        var user = await site.UserAsync("Ada");

        await site.OkAsync(user.Token, HttpMethod.Put, "/resource",
            new() { ["name"] = "Note", ["text"] = "Bob of Initech orders the printers on Monday." });
        await site.Host.RunJobsAsync();
        var job = await site.ValueAsync<Guid>("select id from platform.finished_jobs where kind = 'assistants.embed_document'");
        var status = await site.OkAsync(user.Token, HttpMethod.Get, $"/jobs/{job}");

        Assert.Equal((1, 0m), ((int)status["spent"]!["calls"]!, (decimal?)status["spent"]!["cost"]));
        Assert.True((int)status["spent"]!["input_tokens"]! > 0);
        Assert.Equal("succeeded", (string?)Assert.Single(status["runs"]!.AsArray())!["state"]);

        thinking.Provider.EnqueueFor(ThinkingSite.Model, ScriptedAnswer.Text("<title>Bob</title><summary>Met.</summary>"));
        var execution = await site.ExecutionAsync(user, ["I met Bob"]);
        await site.OkAsync(authorization: null, HttpMethod.Post, "/background/user_task_execution_title_and_summary",
            new() { ["user_task_execution_pk"] = execution.Execution });
        await site.Host.RunJobsAsync();
        var titled = await site.ValueAsync<Guid>("select id from platform.finished_jobs where kind = 'assistants.title_and_summary'");
        status = await site.OkAsync(user.Token, HttpMethod.Get, $"/jobs/{titled}");

        Assert.Equal((1, null), ((int)status["spent"]!["calls"]!, (decimal?)status["spent"]!["cost"]));
    }
}
