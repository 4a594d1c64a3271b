using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Stoa.Platform;
using Stoa.Platform.Telemetry;

namespace Stoa.Tests.Platform.Telemetry;

public sealed partial class LogTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void A_line_is_JSON_with_its_fields_and_its_request()
    {
        using var output = new MemoryStream();
        RequestScope.Enter("r-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using (var writer = new LogWriter(LogFormat.Json, TimeProvider.System, output))
        {
            LogSample(writer.CreateLogger("Sample.Category"), 42, "a\nb", new InvalidOperationException("broken"));
        }

        var line = JsonNode.Parse(Encoding.UTF8.GetString(output.ToArray()).TrimEnd('\n'))!;

        Assert.Equal("warning", (string)line["level"]!);
        Assert.Equal("Sample.Category", (string)line["category"]!);
        Assert.Equal("LogSample", (string)line["event"]!);
        Assert.Equal("42 things of a\nb", (string)line["message"]!);
        Assert.Equal(42, (int)line["fields"]!["Count"]!);
        Assert.Equal("r-1", (string)line["request_id"]!);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", (string)line["trace_id"]!);
        Assert.Contains("broken", (string)line["exception"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_output_stands_still_low_lines_are_left_out_and_counted_and_warnings_are_kept()
    {
        using var output = new HeldStream();
        using (var writer = new LogWriter(LogFormat.Text, TimeProvider.System, output))
        {
            var logger = writer.CreateLogger("Sample");
            LogInformation(logger, -1);
            await output.Held.Task.WaitAsync(Ct);
            for (var i = 0; i < 10_000; i++)
            {
                LogInformation(logger, i);
            }
            var warning = Task.Run(() => LogSample(logger, 1, "kept", null), Ct);
            output.Release.SetResult();
            await warning;
        }

        var text = Encoding.UTF8.GetString(output.Written.ToArray());

        Assert.Contains($"{10_000 - 8_192} lines below Warning were left out", text, StringComparison.Ordinal);
        Assert.Contains("1 things of kept", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_log_file_is_rolled_and_the_oldest_is_deleted()
    {
        var folder = Directory.CreateTempSubdirectory("stoa-log-");
        var path = Path.Combine(folder.FullName, "stoa.log");
        using (var file = new LogFile(path, limit: 10, kept: 2))
        {
            foreach (var text in new[] { "one......", "two......", "three....", "four....." })
            {
                file.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        var contents = folder.GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => File.ReadAllText(file.FullName));

        Assert.Equal(["four.....", "three....", "two......"], contents);
        folder.Delete(recursive: true);
    }

    [LoggerMessage(LogLevel.Warning, "{Count} things of {Kind}")]
    private static partial void LogSample(ILogger logger, int count, string kind, Exception? error);

    [LoggerMessage(LogLevel.Information, "Line {Number}")]
    private static partial void LogInformation(ILogger logger, int number);

    /// <summary>Holds the first write until it is released, as a pipe does whose reader has stopped.</summary>
    private sealed class HeldStream : MemoryStream
    {
        public TaskCompletionSource Held { get; } = new();

        public TaskCompletionSource Release { get; } = new();

        public MemoryStream Written { get; } = new();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Held.TrySetResult();
            Release.Task.GetAwaiter().GetResult();
            Written.Write(buffer);
        }
    }
}
