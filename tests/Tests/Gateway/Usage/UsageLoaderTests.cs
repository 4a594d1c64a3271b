using System.Net;
using System.Text;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Usage;

public sealed class UsageLoaderTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_dead_host_left_is_loaded_by_its_neighbour_and_its_successor_counts_on()
    {
        await using var first = await HostProcess.StartAsync(new Dictionary<string, string?>(StringComparer.Ordinal));
        await using var second = await first.StartBesideAsync();
        await CallAsync(first, 30);
        await first.KillAsync();
        Assert.Equal(30, await CountAsync(second, 30));
        await AbandonedAsync(second);

        await first.StartAgainAsync();
        await CallAsync(first, 20);

        Assert.Equal(50, await CountAsync(first, 50));
    }

    private static async Task CallAsync(HostProcess host, int calls)
    {
        using var client = host.CreateClient();
        for (var call = 0; call < calls; call++)
        {
            using var body = new StringContent(
                """{"model":"demo/demo","messages":[{"role":"user","content":"x"}]}""", Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body, Ct);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private static async Task<long> CountAsync(HostProcess host, long calls)
    {
        using var client = host.CreateClient();
        var sums = await UsageReader.SumsAsync(client, calls);
        return sums.TryGetValue("demo", out var sum) ? (long)sum["calls"]! : 0;
    }

    /// <summary>Until the neighbour has taken over the dead host's folder and emptied it.</summary>
    private static async Task AbandonedAsync(HostProcess host)
    {
        while (Directory.GetFiles(Path.Combine(host.DataDirectory, "spool", "000"), "*.spool").Length > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
        }
    }
}
