using System.Collections.Concurrent;
using System.Net.Http.Json;
using Stoa.Tests.Support;

namespace Stoa.Tests.Crash;

/// <summary>Callers that never give up; a call is answered when its whole body has arrived.</summary>
internal sealed class Traffic(HostProcess host, string model)
{
    private const int Callers = 16, FewCallers = 2;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentQueue<string> _answered = new();
    private int _failed;

    internal ConcurrentQueue<string> Answered => _answered;

    internal int Failed => _failed;

    internal Task RunUntilAsync(int answered) =>
        Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => CallUntilAsync(() => _answered.Count >= answered)));

    /// <summary>Beside the work of others, as long as that goes on.</summary>
    internal Task RunUntilAsync(Task end) =>
        Task.WhenAll(Enumerable.Range(0, FewCallers).Select(_ => CallUntilAsync(() => end.IsCompleted)));

    internal async Task WaitUntilAnsweredAsync(int count)
    {
        while (_answered.Count < count)
        {
            await Task.Delay(Moment, TimeProvider.System);
        }
    }

    /// <summary>How often each call was counted, once each that was answered is there or patience has an end.</summary>
    internal async Task<IReadOnlyDictionary<string, int>> SettledCountsAsync(HttpClient client)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var counts = await UsageReader.CountsByRequestAsync(client);
            if (Answered.All(counts.ContainsKey) || TimeProvider.System.GetElapsedTime(started) > Patience.Long)
            {
                return counts;
            }
            await Task.Delay(Moment, TimeProvider.System);
        }
    }

    private async Task CallUntilAsync(Func<bool> isEnough)
    {
        using var client = host.CreateClient();
        while (!isEnough())
        {
            var id = Guid.CreateVersion7().ToString();
            if (await IsAnsweredAsync(client, id))
            {
                _answered.Enqueue(id);
            }
            else
            {
                Interlocked.Increment(ref _failed);
                await Task.Delay(Moment, TimeProvider.System);
            }
        }
    }

    private async Task<bool> IsAnsweredAsync(HttpClient client, string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new { model, messages = new[] { new { role = "user", content = "Still there?" } } }),
        };
        request.Headers.Add("x-request-id", id);
        try
        {
            using var answer = await client.SendAsync(request);
            return answer.IsSuccessStatusCode && (await answer.Content.ReadAsStringAsync()).EndsWith('}');
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
