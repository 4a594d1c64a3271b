using System.Net;
using System.Security.Cryptography;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// Whether the time of a refusal tells how near a secret was: near misses (all but the last character right) against far ones, in random
/// order, over one connection.
/// </summary>
internal sealed class SecretsScenario : Scenario
{
    private const double LargestDifference = 50; // microseconds
    private const double LargestZ = 6;

    internal override string Name => "secrets";

    internal override string Purpose => "near misses of keys and secrets against far ones: no difference in time";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var pairs = arguments.Number("pairs", 10_000);
        var root = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 64);
        var site = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 64);
        await using var product = Product.Prepare(new("http://127.0.0.1:1"));
        product.Set("Feedback__Auth__RootTokens__0", root);
        product.Set("Feedback__Auth__OfficialWebApiKey", site);
        await product.StartAsync();
        var key = await product.CreateKeyAsync();
        var random = RandomNumberGenerator.GetString("0123456789", 64);
        Probe[] probes =
        [
            new("api_key", "/v1/models", "Authorization", $"Bearer {Near(key)}", $"Bearer stoa_{random[..12]}_{random[..43]}"),
            new("root_token", "/api/v1/admin/api_client", "Authorization", $"Bearer {Near(root)}", $"Bearer {random}"),
        ];
        using var client = new HttpClient { BaseAddress = product.As("", key, "openai").BaseUrl };
        foreach (var probe in probes)
        {
            var (difference, z) = await CompareAsync(pairs, near => AskAsync(client, probe, near));
            yield return new($"secrets.{probe.Name}.difference", difference, "us", LargestDifference);
            yield return new($"secrets.{probe.Name}.z", z, "", LargestZ);
        }
    }

    private static string Near(string secret) => $"{secret[..^1]}{(secret[^1] == 'x' ? 'y' : 'x')}";

    private static async Task AskAsync(HttpClient client, Probe probe, bool near)
    {
        using var request =
            new HttpRequestMessage(probe.Path.StartsWith("/v1", StringComparison.Ordinal) ? HttpMethod.Get : HttpMethod.Post, probe.Path);
        request.Headers.TryAddWithoutValidation(probe.Header, near ? probe.Near : probe.Far);
        using var answer = await client.SendAsync(request);
        if (answer.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
        {
            throw new InvalidOperationException($"A wrong secret was answered with {(int)answer.StatusCode}.");
        }
    }

    private static async Task<(double Difference, double Z)> CompareAsync(int pairs, Func<bool, Task> attempt)
    {
        List<double> near = new(pairs), far = new(pairs);
        // The first tenth warms everything up.
        for (var pair = -pairs / 10; pair < pairs; pair++)
        {
            var isNearFirst = Random.Shared.Next(2) == 0;
            var first = await TimeAsync(attempt, isNearFirst);
            var second = await TimeAsync(attempt, !isNearFirst);
            if (pair >= 0)
            {
                near.Add(isNearFirst ? first : second);
                far.Add(isNearFirst ? second : first);
            }
        }
        var ((nearMean, nearError), (farMean, farError)) = (Mean(near), Mean(far));
        return (Math.Abs(nearMean - farMean), Math.Abs(nearMean - farMean) / Math.Sqrt(nearError + farError));
    }

    private static async Task<double> TimeAsync(Func<bool, Task> attempt, bool near)
    {
        var start = TimeProvider.System.GetTimestamp();
        await attempt(near);
        return TimeProvider.System.GetElapsedTime(start).TotalMicroseconds;
    }

    /// <summary>Without the slowest twentieth, which the machine's other work makes; and the square of the standard error.</summary>
    private static (double Mean, double SquaredError) Mean(List<double> times)
    {
        times.Sort();
        var kept = times[..(times.Count * 19 / 20)];
        var mean = kept.Average();
        return (mean, kept.Sum(time => (time - mean) * (time - mean)) / (kept.Count - 1) / kept.Count);
    }

    private sealed record Probe(string Name, string Path, string Header, string Near, string Far);
}
