using System.Globalization;
using Stoa.Bench.Load;
using Stoa.Bench.Machine;
using Stoa.Bench.Roles;

namespace Stoa.Bench.Scenarios;

/// <summary>Somewhere to send load: an address with its key, how its models are named, and whose CPU time counts.</summary>
internal sealed record Target(string Name, Uri BaseUrl, string Key, string ModelPrefix, params int[] Processes);

/// <summary>
/// The upstream and the plain proxy of one run, the load generator as a child. Upstream and load share CPU 0, what is
/// measured has CPU 1 for itself.
/// </summary>
internal sealed class Rig : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Child _upstream;
    private readonly Child _plain;

    private Rig(Child upstream, Uri upstreamUrl, Child plain, Uri plainUrl)
    {
        _upstream = upstream;
        _plain = plain;
        Direct = new("direct", upstreamUrl, "none", "", upstream.Id);
        Plain = new("plain", plainUrl, PlainProxy.Key, "", plain.Id);
    }

    internal Target Direct { get; }

    internal Target Plain { get; }

    internal static async Task<Rig> StartAsync()
    {
        var (upstreamPort, plainPort) = (Child.FreePort(), Child.FreePort());
        var upstreamUrl = Loopback(upstreamPort);
        var plainUrl = Loopback(plainPort);
        var upstream = Child.StartRole(Child.LoadCpu, inline: true, "upstream", "--port", Text(upstreamPort));
        var plain = Child.StartRole(
            Child.TestedCpu, inline: false, "plain", "--port", Text(plainPort), "--upstream", upstreamUrl.ToString());
        var rig = new Rig(upstream, upstreamUrl, plain, plainUrl);
        await upstream.WaitUntilAsync(upstreamUrl, Patience, CancellationToken.None);
        await plain.WaitUntilAsync(plainUrl, Patience, CancellationToken.None);
        return rig;
    }

    internal static async Task<LoadResult> PlayAsync(LoadOptions options)
    {
        await using var load = Child.StartRole(Child.LoadCpu, inline: false, options.ToWords());
        var result = LoadResult.Parse(await load.OutputAsync(CancellationToken.None));
        return result.Errors == 0 && result.Answers > 0
            ? result
            : throw new InvalidOperationException(
                $"{options.Url}: {result.Errors} errors, {result.Answers} answers; that is no measurement.");
    }

    public async ValueTask DisposeAsync()
    {
        await _plain.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    internal static Uri Loopback(int port) => new($"http://127.0.0.1:{Text(port)}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
