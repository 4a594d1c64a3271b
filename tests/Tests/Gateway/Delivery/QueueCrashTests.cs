using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>What was accepted for later is delivered, whatever was killed. <c>STOA_CRASH_SEED</c> repeats a run.</summary>
public sealed class QueueCrashTests(PrivateBroker broker, TestDatabase database, ITestOutputHelper output)
    : IClassFixture<PrivateBroker>, IClassFixture<TestDatabase>
{
    private const int Runs = 500;
    private const int Callers = 16;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Every_run_that_was_accepted_is_delivered_although_the_host_and_the_broker_are_killed()
    {
        PrivateBroker.SkipUnlessThere();
        var seed = int.TryParse(Environment.GetEnvironmentVariable("STOA_CRASH_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_CRASH_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        var random = new Random(seed);
        var (first, second) = (random.Next(20, 150), random.Next(200, 350));
        var delivered = new ConcurrentQueue<(string Id, int Number)>();
        await using var receiver = await LoopbackSite.StartAsync(async context =>
        {
            var body = await JsonNode.ParseAsync(context.Request.Body);
            delivered.Enqueue((context.Request.Headers["webhook-id"].ToString(), (int)body!["variables"]!["n"]!));
        });
        await using var host = await HostProcess.StartAsync(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ConnectionStrings__Stoa"] = database.ConnectionString,
            ["Egress__Allow"] = "127.0.0.1",
            ["Gateway__Queue__Url"] = broker.Url,
            ["Gateway__Queue__Name"] = "crash",
            ["Jobs__LeaseSeconds"] = "15",
        });
        var accepted = new ConcurrentDictionary<int, bool>();
        var next = -1;

        var asking = Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => AskAsync()));
        await Patience.UntilAsync(() => accepted.Count >= first);
        await broker.KillAsync();
        await broker.StartAsync();
        await Patience.UntilAsync(() => accepted.Count >= second);
        await host.KillAsync();
        await host.StartAgainAsync();
        await asking;
        await Patience.UntilAsync(() => delivered.Count >= Runs && !accepted.Keys.Except(delivered.Select(one => one.Number)).Any());

        output.WriteLine(
            $"{accepted.Count} accepted, {delivered.Count} deliveries of {delivered.Select(one => one.Id).Distinct(StringComparer.Ordinal).Count()} ids");
        Assert.Equal(Runs, accepted.Count);
        Assert.Empty(accepted.Keys.Except(delivered.Select(one => one.Number)));
        // An id stands for one answer, however often it came.
        Assert.All(delivered.GroupBy(one => one.Id, StringComparer.Ordinal),
            same => Assert.Single(same.Select(one => one.Number).Distinct()));

        async Task AskAsync()
        {
            using var client = host.CreateClient();
            while (Interlocked.Increment(ref next) is var number && number < Runs)
            {
                while (!await IsAcceptedAsync(client, receiver.Url, number))
                {
                    await Task.Delay(Moment, TimeProvider.System);
                }
                accepted[number] = true;
            }
        }
    }

    private static async Task<bool> IsAcceptedAsync(HttpClient client, Uri receiver, int number)
    {
        try
        {
            using var answer = await client.PostAsJsonAsync("/api/v2/model/chat/completion", new
            {
                service = "demo",
                user = "Still there?",
                variables = new { n = number },
                configuration =
                    new { model = "demo", response_format = new { type = "webhook", cred = new { url = receiver.ToString() } } },
            });
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception away) when (away is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
