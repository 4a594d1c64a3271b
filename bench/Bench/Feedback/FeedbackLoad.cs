using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Feedback;

/// <summary>
/// What came of it; CPU is milliseconds per loop or request, of the server alone and with its PostgreSQL, times are milliseconds.
/// </summary>
/// <param name="Nothing">How often there was no task for the user; what that costs is part of the loops' cost.</param>
internal sealed record FeedbackResult(
    long Count, long Nothing, double PerSecond, double P50, double P95, double ServerCpu, double Cpu, Dictionary<string, long> Kinds)
{
    internal double PostgresCpu => Cpu - ServerCpu;

    internal static FeedbackResult Parse(string json) => JsonSerializer.Deserialize<FeedbackResult>(json)!;

    internal string ToJson() => JsonSerializer.Serialize(this);
}

/// <summary>
/// People who ask for a task, acknowledge it and answer it, one after the other on each connection, each time as another user. Or one
/// request over and over. A process of its own, whose CPU time counts for nobody.
/// </summary>
internal sealed class FeedbackLoad(Uri url, string key, int users, int clients, int[] processes)
{
    private readonly List<double> _times = [];
    private readonly Dictionary<string, long> _kinds = new(StringComparer.Ordinal);
    private long _nothing;
    private volatile bool _counts;
    private volatile bool _stops;
    private Exception? _failure;

    internal static FeedbackResult Play(Arguments arguments)
    {
        var load = new FeedbackLoad(
            new(arguments.Text("url", "")), arguments.Text("key", ""), arguments.Number("users", 1),
            arguments.Number("clients", 1), arguments.Numbers("pids"));
        var path = arguments.Text("path");
        return load.Run(
            arguments.Number("warm-ms", 1_000), arguments.Number("ms", 4_000),
            path is null ? load.Loop : _ => client => load.Ask(client, arguments.Text("method", "GET"), path, arguments.Text("body", "")));
    }

    private FeedbackResult Run(int warm, int milliseconds, Func<int, Action<WireClient>> work)
    {
        var threads = Enumerable.Range(0, clients).Select(number => new Thread(() => Keep(work(number)))).ToList();
        threads.ForEach(thread => thread.Start());
        threads[0].Join(warm);
        var (server, all) = Cpu();
        var started = Stopwatch.GetTimestamp();
        _counts = true;
        threads[0].Join(milliseconds);
        _counts = false;
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var (serverAfter, allAfter) = Cpu();
        _stops = true;
        threads.ForEach(thread => thread.Join());
        if (_failure is not null)
        {
            throw new InvalidOperationException(_failure.Message, _failure);
        }
        _times.Sort();
        var count = Math.Max(_times.Count, 1);
        return new(
            _times.Count, _nothing, _times.Count / seconds, _times[count / 2], _times[(int)(count * 0.95)],
            (serverAfter - server) / 1_000 / count, (allAfter - all) / 1_000 / count, _kinds);
    }

    private void Keep(Action<WireClient> work)
    {
        try
        {
            using var client = new WireClient(url, key);
            while (!_stops)
            {
                work(client);
            }
        }
        catch (Exception failure)
        {
            _failure = failure;
        }
    }

    private void Ask(WireClient client, string method, string path, string body)
    {
        var started = Stopwatch.GetTimestamp();
        Expect(client, 200, path,
            client.Send(Encoding.ASCII.GetBytes(method), Encoding.ASCII.GetBytes(path), Encoding.UTF8.GetBytes(body)));
        Note(path, started);
    }

    private Action<WireClient> Loop(int number)
    {
        var chance = new Random(number);
        // Ids are used once, also over several runs.
        var run = Random.Shared.NextInt64();
        var loops = 0;
        // Nobody works in two places at once: he may be shown the same twice there, and answer it once.
        return client => Play(client, (chance.Next(users / clients) * clients) + number, $"{run:x}-{loops++}", chance);
    }

    private void Play(WireClient client, int number, string id, Random chance)
    {
        var user = $$"""{"id":"bench-{{number}}","display_name":"bench-{{number}}","auth_method":"local"}""";
        var started = Stopwatch.GetTimestamp();
        var answer = client.Send("POST"u8, "/api/v1/tasks/"u8, Bytes($$"""{"type":"random","user":{{user}},"lang":"en"}"""));
        if (client.Status == 503)
        {
            if (_counts)
            {
                Interlocked.Increment(ref _nothing);
            }
            return;
        }
        Expect(client, 200, "tasks", answer);
        var task = JsonSerializer.Deserialize<JsonElement>(answer);
        var (taskId, type) = (task.GetProperty("id").GetString()!, task.GetProperty("type").GetString()!);
        Expect(client, 204, "ack", client.Send("POST"u8, Bytes($"/api/v1/tasks/{taskId}/ack"), Bytes($$"""{"message_id":"{{id}}"}""")));
        var words = Answer(task, type, user, id, taskId, chance);
        Expect(client, 200, type, client.Send("POST"u8, "/api/v1/tasks/interaction"u8, Bytes(words)));
        Note(type, started);
    }

    private static string Answer(JsonElement task, string type, string user, string id, string taskId, Random chance) => type switch
    {
        ['r', 'a', 'n', 'k', ..] => $$"""
            {"type":"message_ranking","user":{{user}},"message_id":"{{id}}","ranking":[{{Order(task.GetProperty("replies").GetArrayLength(), chance)}}]}
            """,
        ['l', 'a', 'b', 'e', 'l', ..] => $$"""
            {"type":"text_labels","user":{{user}},"text":"","labels":{"spam":0,"lang_mismatch":0,"quality":0.75},
              "message_id":"{{task.GetProperty("message_id").GetString()}}","task_id":"{{taskId}}"}
            """,
        _ => $$"""
            {"type":"text_reply_to_message","user":{{user}},"message_id":"{{id}}","user_message_id":"{{id}}-text","lang":"en",
              "text":"The harbour master writes down what the tide brings, number {{id}}: seven ships wait for the flood, two of them with grain, and the third has no papers at all, which is why nobody unloads it before the morning."}
            """,
    };

    private static string Order(int count, Random chance)
    {
        var order = Enumerable.Range(0, count).ToArray();
        chance.Shuffle(order);
        return string.Join(',', order);
    }

    private void Note(string kind, long started)
    {
        if (_counts)
        {
            lock (_times)
            {
                _times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                _kinds[kind] = _kinds.GetValueOrDefault(kind) + 1;
            }
        }
    }

    private static void Expect(WireClient client, int status, string what, ReadOnlySpan<byte> answer)
    {
        if (client.Status != status)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"{what} was answered {client.Status} {Encoding.UTF8.GetString(answer)}; that is no measurement."));
        }
    }

    private (double Server, double All) Cpu() =>
        (ProcessStat.CpuMicroseconds(processes.Take(1)), ProcessStat.TreeCpuMicroseconds(processes));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
