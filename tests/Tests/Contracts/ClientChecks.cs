using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

/// <summary>Promises that hold for either client in the same words.</summary>
internal static class ClientChecks
{
    // Clocks tick in milliseconds, so "one second later" may read as 999.
    private static readonly TimeSpan AlmostASecond = TimeSpan.FromMilliseconds(990);

    internal static void WaitedBetween(IReadOnlyList<ScriptedRequest> calls, int expected)
    {
        Assert.Equal(expected, calls.Count);
        Assert.All(calls.Zip(calls.Skip(1)), pair => Assert.True(pair.Second.ArrivedAt - pair.First.ArrivedAt >= AlmostASecond));
    }

    internal static void BrokeOff(JsonNode result)
    {
        Assert.NotNull(result["error"]);
        Assert.NotEqual("", (string?)result["text"]);
        Assert.StartsWith((string)result["text"]!, ClientRun.LongText, StringComparison.Ordinal);
    }

    internal static void Unicode(JsonNode result)
    {
        var expected = $"You said: {(string?)result["expected"]}";
        Assert.Equal(expected, (string?)result["streamed"]);
        Assert.Equal(expected, (string?)result["whole"]);
    }

    /// <summary>
    /// The provider notices that the client has left, and because of that. How soon is measured elsewhere: here all run at once.
    /// </summary>
    internal static async Task CancelledAsync(JsonNode result, ScriptedRequest upstream)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        var noticed = await upstream.Aborted.WaitAsync(patience.Token);
        var left = DateTimeOffset.FromUnixTimeMilliseconds((long)result["at"]!);
        // Not earlier: it was the client's leaving that was noticed. A clock of milliseconds cuts off a little.
        Assert.True(noticed >= left - TimeSpan.FromMilliseconds(5), $"noticed at {noticed:O}, left at {left:O}");
    }
}
