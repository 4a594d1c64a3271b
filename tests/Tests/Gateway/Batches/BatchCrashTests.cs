using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

/// <summary>A batch is answered whole although its host is killed in the middle. <c>STOA_CRASH_SEED</c> repeats a run.</summary>
public sealed class BatchCrashTests(TestDatabase database, ITestOutputHelper output) : IClassFixture<TestDatabase>
{
    private const int Lines = 300;

    [Fact]
    public async Task Every_line_is_answered_exactly_once_although_the_host_is_killed_twice()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("STOA_CRASH_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_CRASH_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        var random = new Random(seed);
        var (first, second) = (random.Next(20, 120), random.Next(160, 280));
        var told = new ConcurrentQueue<(string Id, JsonNode Body)>();
        await using var receiver = await LoopbackSite.StartAsync(async context =>
            told.Enqueue((context.Request.Headers["webhook-id"].ToString(), (await JsonNode.ParseAsync(context.Request.Body))!)));
        await using var provider = await ScriptedProvider.StartAsync();
        await using var host = await HostProcess.StartAsync(HostProcess.ProviderSettings("openai", "openai", provider)
            .Append(new("ConnectionStrings__Stoa", database.ConnectionString)).Append(new("Egress__Allow", "127.0.0.1"))
            .Append(new("Gateway__NativeBatches", "false")).Append(new("Jobs__LeaseSeconds", "15")).ToDictionary(StringComparer.Ordinal));
        using var client = host.CreateClient();

        var started = await StartAsync(client, receiver.Url);
        await Patience.UntilAsync(() => provider.Requests.Count >= first);
        await host.KillAsync();
        await host.StartAgainAsync();
        await Patience.UntilAsync(() => provider.Requests.Count >= second);
        await host.KillAsync();
        await host.StartAgainAsync();
        await Patience.UntilAsync(() => !told.IsEmpty);

        output.WriteLine($"{provider.Requests.Count} calls for {Lines} lines, {told.Count} deliveries");
        Assert.Equal((string?)started["batch_id"], Assert.Single(told.Select(one => one.Id).Distinct(StringComparer.Ordinal)));
        var items = told.First().Body["response"]!.AsArray();
        Assert.Equal(
            started["messages"]!.AsArray().Select(message => ((string?)message!["custom_id"], $"You said: {message["message"]}")),
            items.Select(item => ((string?)item!["custom_id"], (string)item["data"]!["content"]!)));
        // What was under way when the host died is asked once more, nothing else.
        Assert.InRange(provider.Requests.Count, Lines, Lines + 16);
    }

    private static async Task<JsonNode> StartAsync(HttpClient client, Uri receiver)
    {
        using var answer = await client.PostAsJsonAsync("/api/v2/model/batch/chat/completion", new
        {
            service = "openai",
            configuration = new { model = "gpt-4o", response_type = "text" },
            batch = Enumerable.Range(0, Lines).Select(number => $"question {number}"),
            webhook = new { url = receiver.ToString() },
        });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
