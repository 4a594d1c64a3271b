using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoa.Tests.Support;

/// <summary>
/// A mail server on loopback that speaks SMTP and keeps what it is given. It knows one account, and offers no encryption.
/// </summary>
internal sealed partial class LoopbackSmtp : IAsyncDisposable
{
    public const string User = "robot@stoa.example", Password = "the mail server's password";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly ConcurrentQueue<ReceivedMail> mails = new();
    private readonly Task serving;

    public LoopbackSmtp()
    {
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public IReadOnlyList<ReceivedMail> Mails => [.. mails];

    /// <summary>What it says to a receiver; null: it takes him.</summary>
    public Func<string, string?> Refuses { get; set; } = _ => null;

    /// <summary>Runs when a mail is taken and before that is said.</summary>
    public Func<ReceivedMail, Task> Taking { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyList<ReceivedMail> To(string address) => [.. mails.Where(mail => mail.To.Contains(address))];

    /// <summary>What came, and what it was to say.</summary>
    public void Forget()
    {
        mails.Clear();
        (Refuses, Taking) = (_ => null, _ => Task.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await serving;
        listener.Dispose();
        end.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(end.Token);
                _ = Task.Run(() => TalkAsync(client));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using var own = client;
        try
        {
            using var reader = new StreamReader(own.GetStream(), Encoding.Latin1);
            await using var writer = new StreamWriter(own.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 loopback ready");
            var (isSignedIn, to) = (false, new List<string>());
            while (await reader.ReadLineAsync(end.Token) is { } line)
            {
                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO" or "HELO":
                        await writer.WriteLineAsync("250-loopback\r\n250-AUTH LOGIN\r\n250 8BITMIME");
                        break;
                    case "AUTH":
                        isSignedIn = await SignInAsync(line, reader, writer);
                        break;
                    case "MAIL":
                        await writer.WriteLineAsync(isSignedIn ? "250 ok" : "530 sign in first");
                        break;
                    case "RCPT":
                        var address = Address().Match(line).Groups["address"].Value;
                        var refusal = Refuses(address);
                        if (refusal is null)
                        {
                            to.Add(address);
                        }
                        await writer.WriteLineAsync(refusal ?? "250 ok");
                        break;
                    case "DATA":
                        await writer.WriteLineAsync("354 go on");
                        if (await DataAsync(reader) is not { } data)
                        {
                            return;
                        }
                        var mail = new ReceivedMail([.. to], data);
                        mails.Enqueue(mail);
                        to.Clear();
                        await Taking(mail);
                        await writer.WriteLineAsync("250 taken");
                        break;
                    case "QUIT":
                        await writer.WriteLineAsync("221 bye");
                        return;
                    default:
                        await writer.WriteLineAsync("250 ok");
                        break;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client was killed, or the test is over.
        }
    }

    private static async Task<bool> SignInAsync(string line, StreamReader reader, StreamWriter writer)
    {
        var user = line.Split(' ') is [_, _, var given] ? given : await AskAsync("VXNlcm5hbWU6");
        var isRight = Text(user) == User & Text(await AskAsync("UGFzc3dvcmQ6")) == Password;
        await writer.WriteLineAsync(isRight ? "235 welcome" : "535 wrong");
        return isRight;

        async Task<string> AskAsync(string what)
        {
            await writer.WriteLineAsync($"334 {what}");
            return await reader.ReadLineAsync() ?? "";
        }

        static string Text(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
    }

    /// <summary>Null when the client was gone before the end: that is no mail.</summary>
    private static async Task<string?> DataAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line == ".")
            {
                return text.ToString();
            }
            text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }
        return null;
    }

    [GeneratedRegex("<(?<address>[^>]*)>", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Address();
}

/// <summary>A mail as the server got it.</summary>
internal sealed partial record ReceivedMail(IReadOnlyList<string> To, string Source)
{
    public string? Header(string name)
    {
        var head = Fold().Replace(Source[..Source.IndexOf("\r\n\r\n", StringComparison.Ordinal)], " ");
        var line = head.Split("\r\n").FirstOrDefault(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase));
        return line is null ? null : EncodedWord().Replace(Between().Replace(line[(name.Length + 1)..].Trim(), "${end}${start}"), match =>
            Encoding.UTF8.GetString(match.Groups["kind"].Value is "B" or "b"
                ? Convert.FromBase64String(match.Groups["text"].Value)
                : Quoted(match.Groups["text"].Value)));
    }

    public IEnumerable<string> HeaderNames =>
        Fold().Replace(Source[..Source.IndexOf("\r\n\r\n", StringComparison.Ordinal)], " ")
            .Split("\r\n").Select(line => line.Split(':')[0].ToLowerInvariant());

    /// <summary>Its part of this type, decoded: <c>text/html</c>.</summary>
    public string? Part(string type)
    {
        var part = Source.Split("\r\n--").FirstOrDefault(part => part.Contains($"Content-Type: {type}", StringComparison.OrdinalIgnoreCase)
            && !part.Contains("multipart/", StringComparison.OrdinalIgnoreCase));
        if (part is null)
        {
            return null;
        }
        var text = part[(part.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        return Encoding.UTF8.GetString(Convert.FromBase64String(text.Trim()));
    }

    private static byte[] Quoted(string text) => Encoding.Latin1.GetBytes(Hex().Replace(
        text.Replace('_', ' '), match => ((char)Convert.ToByte(match.Groups["hex"].Value, 16)).ToString()));

    [GeneratedRegex(@"\r\n[ \t]+", RegexOptions.NonBacktracking)]
    private static partial Regex Fold();

    [GeneratedRegex(@"(?<end>\?=)\s+(?<start>=\?)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Between();

    [GeneratedRegex(@"=\?utf-8\?(?<kind>[BQbq])\?(?<text>[^?]*)\?=",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex EncodedWord();

    [GeneratedRegex("=(?<hex>[0-9A-F]{2})", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Hex();
}
