using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback;

/// <summary>What was answered with 200 is there, whatever was killed meanwhile. <c>STOA_BOT_SEED</c> repeats a run.</summary>
public sealed class BotCrashTests(ITestOutputHelper output)
{
    private const int Players = 10;
    private const int Tasks = 400;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_answer_that_was_accepted_is_lost_when_the_host_is_killed()
    {
        var seed = BotTests.Number("STOA_BOT_SEED") ?? Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_BOT_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        await using var host = await HostProcess.StartAsync(Settings.ToDictionary(
            setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value, StringComparer.Ordinal));
        var (bot, random) = (new Bot(host.BaseAddress, seed), new Random(seed));

        var play = bot.PlayAsync(Players, Tasks);
        await bot.WhenAcceptedAsync(random.Next(Tasks / 10, Tasks / 3));
        await host.KillAsync();
        await host.StartAgainAsync();
        await bot.WhenAcceptedAsync((Tasks / 2) + random.Next(Tasks / 4));
        await host.KillAsync();
        await host.KillPostgresAsync();
        await host.StartAgainAsync();
        await play;

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bot.Accepted.Count} accepted, {bot.Cut} cut."));
        Assert.True(bot.Cut > 0, "Nothing was cut");
        Assert.Equal("", string.Join('\n', bot.Unexpected));
        using var client = host.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", "1234");
        await CheckTextsAsync(client, bot);
        await CheckCountsAsync(client, bot, "message_ranking", "ranking_count");
        await CheckCountsAsync(client, bot, "text_labels", "review_count");
        await CheckDoneAsync(client, bot);
        await CheckStoreAsync(host);
    }

    /// <summary>Trees that are soon ranked.</summary>
    internal static Dictionary<string, string?> Settings => new(BotTests.Settings, StringComparer.OrdinalIgnoreCase)
    {
        ["Feedback:TreeManager:GoalTreeSize"] = "3",
        ["Feedback:TreeManager:MaxInitialPromptReview"] = "3",
        ["Feedback:TreeManager:NumReviewsInitialPrompt"] = "1",
        ["Feedback:TreeManager:NumReviewsReply"] = "1",
        ["Feedback:TreeManager:PLonelyChildExtension"] = "1",
    };

    internal static async Task CheckTextsAsync(HttpClient client, Bot bot)
    {
        foreach (var (_, answer, _) in bot.Accepted.Where(one => (string?)one.Answer["type"] == "text_reply_to_message"))
        {
            var message = await client.GetFromJsonAsync<JsonNode>(
                new Uri($"/api/v1/frontend_messages/{answer["user_message_id"]}", UriKind.Relative), Ct);
            Assert.Equal((string?)answer["text"], (string?)message!["text"]);
        }
    }

    /// <summary>At least as many as were accepted: an answer that was cut may count too.</summary>
    private static async Task CheckCountsAsync(HttpClient client, Bot bot, string type, string count)
    {
        var given = bot.Accepted.Where(one => (string?)one.Answer["type"] == type)
            .SelectMany(one => one.About).CountBy(id => id, StringComparer.Ordinal).ToList();
        Assert.NotEmpty(given);
        foreach (var (id, accepted) in given)
        {
            var message = await client.GetFromJsonAsync<JsonNode>(new Uri($"/api/v1/messages/{id}", UriKind.Relative), Ct);
            Assert.True((int)message![count]! >= accepted, $"{count} of {id} is {message[count]}, and {accepted} were accepted");
        }
    }

    /// <summary>None can be given once more.</summary>
    internal static async Task CheckDoneAsync(HttpClient client, Bot bot)
    {
        foreach (var (type, answer, _) in bot.Accepted)
        {
            using var again = await client.PostAsJsonAsync(new Uri("/api/v1/tasks/interaction", UriKind.Relative), answer, Ct);
            var refusal = await again.Content.ReadFromJsonAsync<JsonNode>(Ct);
            Assert.True((int?)refusal!["error_code"] == 2105, $"{type}: {(int)again.StatusCode} {refusal.ToJsonString()}");
        }
    }

    /// <summary>As an operator looks, beside the running host.</summary>
    internal static async Task CheckStoreAsync(HostProcess host, string? database = null)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Stoa.Host.dll"), "feedback", "check"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development", ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["Stoa__InternalUrls"] = "http://127.0.0.1:0",
                ["Stoa__DataDirectory"] = host.DataDirectory,
            },
        };
        if (database is not null)
        {
            start.Environment["ConnectionStrings__Stoa"] = database;
        }
        using var check = Process.Start(start)!;
        var (said, told) = (check.StandardOutput.ReadToEndAsync(Ct), check.StandardError.ReadToEndAsync(Ct));
        await check.WaitForExitAsync(Ct);
        var lines = $"{await said}{await told}";
        Assert.True(check.ExitCode == 0, lines);
        Assert.Contains("ok      a reply is one deeper than its parent", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("broken", lines, StringComparison.Ordinal);
    }
}
