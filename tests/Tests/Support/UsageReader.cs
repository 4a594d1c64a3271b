using System.Text.Json.Nodes;

namespace Stoa.Tests.Support;

/// <summary>Usage as an admin reads it over HTTP.</summary>
internal static class UsageReader
{
    private const string Since = "from=2020-01-01T00:00:00Z";
    private const int Page = 1000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>The sums by provider, once so many calls are in them; if that never comes, whatever is there.</summary>
    internal static async Task<IReadOnlyDictionary<string, JsonNode>> SumsAsync(HttpClient client, long calls)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await GetAsync(client, $"/api/stoa/usage?group_by=provider&{Since}");
            var rows = answer["items"]!.AsArray().Select(row => row!).ToList();
            if (rows.Sum(row => (long)row["calls"]!) >= calls || TimeProvider.System.GetElapsedTime(started) > Patience.Long)
            {
                return rows.ToDictionary(row => (string)row["provider"]!, StringComparer.Ordinal);
            }
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>How often each request id was counted.</summary>
    internal static async Task<IReadOnlyDictionary<string, int>> CountsByRequestAsync(HttpClient client)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        string? after = null;
        while (true)
        {
            var answer = await GetAsync(client, $"/api/stoa/usage/calls?limit={Page}&{Since}{(after is null ? "" : $"&after={after}")}");
            foreach (var row in answer["items"]!.AsArray())
            {
                var id = (string)row!["request_id"]!;
                counts[id] = counts.GetValueOrDefault(id) + 1;
            }
            if ((string?)answer["next"] is not { } next)
            {
                return counts;
            }
            after = next;
        }
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
