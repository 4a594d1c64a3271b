using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents.Reading;

/// <summary>
/// The text of a PDF by <c>pdftotext</c> of poppler, where it is installed: a process of its own without our environment, which gets the
/// file through a pipe and ends when it takes too long, too much memory, or says too much. A few at a time.
/// </summary>
internal sealed class PdfText(IOptions<DocumentsOptions> options, TimeProvider time) : IDisposable
{
    private const string Program = "pdftotext";
    private const int MostCharacters = 16 << 20;
    private const int MostMemoryKb = 512 << 10;

    // Limits that a system does not know are left out; the time is ours to look after.
    private const string Script =
        """ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; exec "$3" -q -enc UTF-8 -nopgbrk - - 2>/dev/null""";

    private static readonly string? Path = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => System.IO.Path.Combine(folder, Program)).FirstOrDefault(File.Exists);

    private readonly SemaphoreSlim places = new(Math.Max(2, Environment.ProcessorCount / 2));

    public static bool IsInstalled => Path is not null;

    public async Task<string> ReadAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        if (Path is null)
        {
            throw new Failure(FailureKind.UnsupportedMedia, "unsupported_file", "PDF cannot be read on this machine");
        }
        await places.WaitAsync(ct);
        try
        {
            return await RunAsync(Path, bytes, ct);
        }
        finally
        {
            places.Release();
        }
    }

    public void Dispose() => places.Dispose();

    private async Task<string> RunAsync(string program, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var seconds = options.Value.PdfSeconds;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, Program, Text(MostMemoryKb), Text(seconds), program])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8, WorkingDirectory = "/",
        };
        start.Environment.Clear();
        using var process = Process.Start(start) ?? throw FileText.Unreadable("PDF");
        try
        {
            var writing = WriteAsync(process, bytes, both.Token);
            var text = await ReadAsync(process.StandardOutput, both.Token);
            await writing;
            await process.WaitForExitAsync(both.Token);
            return process.ExitCode == 0 ? text : throw FileText.Unreadable("PDF");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // A file that takes so long is at fault itself.
            throw new Failure(FailureKind.Invalid, "unreadable_file", "Reading the PDF took too long");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task WriteAsync(Process process, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(bytes, ct);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It had enough; its exit code says why.
        }
    }

    private static async Task<string> ReadAsync(StreamReader output, CancellationToken ct)
    {
        var text = new StringBuilder();
        var buffer = new char[16 << 10];
        while (await output.ReadAsync(buffer, ct) is var read and > 0)
        {
            text.Append(buffer, 0, read);
            if (text.Length > MostCharacters)
            {
                throw new Failure(FailureKind.TooLarge, "too_large", "The text of the PDF is too long");
            }
        }
        return text.ToString();
    }
}
