using System.Diagnostics;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Journeys;

/// <summary>
/// Plays a journey of <c>tests/Browser/journeys.mjs</c>. It needs Chromium and the npm packages, which <c>bin/setup test</c> installs;
/// <c>STOA_WITHOUT_BROWSER=1</c> says that they need not be there.
/// </summary>
internal static class ChromiumRun
{
    private const string Without = "STOA_WITHOUT_BROWSER";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    private static readonly string[] Applications =
        ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

    // Chromium is the hungriest of all; several at once only slow each other down.
    private static readonly SemaphoreSlim Turn = new(1);

    private static string Folder => Path.Combine(Repository.Root, "tests", "Browser");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="prepare">Makes of a new host what the journey needs to know: keys, tokens, names.</param>
    public static async Task PlayAsync(string journey, Func<HostUnderTest, Task<JsonObject>>? prepare = null)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable(Without) == "1", $"{Without}=1 is set");
        var chromium = Find() ?? throw new InvalidOperationException(
            $"Chromium is missing: install the package chromium, or set {Without}=1 to go without the tests that drive a browser.");
        Assert.True(Directory.Exists(Path.Combine(Folder, "node_modules")), "The npm packages are missing: run bin/setup test.");

        await using var host = await HostUnderTest.StartAsync();
        JsonObject call = new()
        {
            ["chromium"] = chromium,
            ["journey"] = journey,
            ["baseUrl"] = host.Client.BaseAddress!.ToString(),
            ["given"] = prepare is null ? [] : await prepare(host),
        };
        await Turn.WaitAsync(Ct);
        try
        {
            var result = await RunAsync(call);
            Assert.True(result["error"] is null, (string?)result["error"]);
            var findings = result["findings"]!.AsArray();
            Assert.True(findings.Count == 0, string.Join('\n', findings));
        }
        finally
        {
            Turn.Release();
        }
    }

    private static string? Find() => Names
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .Concat(Applications)
        .FirstOrDefault(File.Exists);

    private static async Task<JsonNode> RunAsync(JsonObject request)
    {
        var start = new ProcessStartInfo("node", ["run.mjs"])
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start) ?? throw new InvalidOperationException("node could not be started.");
        var complaints = node.StandardError.ReadToEndAsync(Ct);
        await node.StandardInput.WriteAsync(request.ToJsonString());
        node.StandardInput.Close();
        var line = await node.StandardOutput.ReadLineAsync(Ct);
        await node.WaitForExitAsync(Ct);
        return JsonNode.Parse(line ?? throw new InvalidOperationException($"The journey did not start:\n{await complaints}"))!;
    }
}
