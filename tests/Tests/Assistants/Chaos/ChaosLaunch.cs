using System.Collections.Concurrent;
using System.Net;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Chaos;

/// <summary>
/// Asks for each chore once. Where the connection broke nobody knows whether it was accepted: who may ask again does, the others leave it
/// at that. Where it was refused for the moment, it is asked again.
/// </summary>
internal sealed class ChaosLaunch(HostProcess host, NpgsqlDataSource source, IReadOnlyCollection<Chore> chores)
{
    private const int Callers = 8;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentQueue<Chore> open = new(chores);

    public int Count => chores.Count;

    public ConcurrentQueue<Chore> Accepted { get; } = new();

    public ConcurrentQueue<Chore> Unsure { get; } = new();

    public int Answered => Accepted.Count + Unsure.Count;

    public Task RunAsync() => Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => CallAsync()));

    private async Task CallAsync()
    {
        using var client = HostProcess.ClientAt(host.BaseAddress);
        using var inside = HostProcess.ClientAt(host.InternalAddress);
        while (open.TryDequeue(out var chore))
        {
            await LaunchAsync(client, inside, chore);
        }
    }

    private async Task LaunchAsync(HttpClient client, HttpClient inside, Chore chore)
    {
        while (true)
        {
            await PrepareAsync(chore);
            using var request = chore.Kind.Ask(chore.Number);
            var isInternal = request.RequestUri!.OriginalString.StartsWith("/background", StringComparison.Ordinal);
            try
            {
                using var answer = await (isInternal ? inside : client).SendAsync(request);
                if (answer.IsSuccessStatusCode)
                {
                    Accepted.Enqueue(chore);
                    return;
                }
                // Not ready again yet, or a run of the schedule is under way.
                Assert.True(
                    (int)answer.StatusCode >= 500 || (answer.StatusCode == HttpStatusCode.Conflict && chore.Kind.MayBeAskedAgain),
                    $"{chore.Kind.Name}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
            catch (HttpRequestException refused) when (refused.HttpRequestError == HttpRequestError.ConnectionError)
            {
                // Nobody listens: nothing was sent.
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException)
            {
                if (!chore.Kind.MayBeAskedAgain)
                {
                    Unsure.Enqueue(chore);
                    return;
                }
            }
            await Task.Delay(Moment, TimeProvider.System);
        }
    }

    private async Task PrepareAsync(Chore chore)
    {
        if (chore.Kind.Before is { } statement)
        {
            await using var command = source.CreateCommand(statement);
            command.Parameters.Add(new() { Value = ChaosSite.Text(chore.Number) });
            await command.ExecuteNonQueryAsync();
        }
    }
}
