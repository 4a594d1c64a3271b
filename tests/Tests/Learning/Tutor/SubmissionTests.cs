using System.IO.Compression;
using System.Text;
using Stoa.Learning.Submissions;
using Stoa.Learning.Tutor;
using Stoa.Platform.Http;

namespace Stoa.Tests.Learning.Tutor;

public sealed class SubmissionTests
{
    private static readonly TutorOptions Limits = new() { MaxZipEntries = 50, MaxUnpackedMb = 1, MaxFileKb = 4, MaxShownKb = 6 };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Texts_are_shown_by_path_and_the_rest_is_named()
    {
        var read = await ReadAsync(
            ("src/b.py", "print(2)"u8.ToArray()), ("src\\a.py", "print(1)"u8.ToArray()),
            ("node_modules/x.js", "x"u8.ToArray()), ("__MACOSX/a.py", "x"u8.ToArray()),
            ("photo.png", "x"u8.ToArray()), ("binary.txt", [0, 1, 2]), ("latin.txt", [0xE9, 0x20]), ("large.txt", new byte[5_000]));

        Assert.Equal([("src/a.py", "print(1)"), ("src/b.py", "print(2)")], read.Files);
        Assert.Equal(["binary.txt", "large.txt", "latin.txt"], read.Omitted);
    }

    [Fact]
    public async Task No_more_is_shown_than_a_model_is_to_read()
    {
        var read = await ReadAsync(
            [.. Enumerable.Range(0, 4).Select(number => ($"{number}.txt", Enumerable.Repeat((byte)'a', 2_500).ToArray()))]);

        Assert.Equal(["0.txt", "1.txt"], read.Files.Select(file => file.Path));
        Assert.Equal(["2.txt", "3.txt"], read.Omitted);
        Assert.Contains("2.txt, 3.txt", read.ToText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../evil.py")]
    [InlineData("a/../../evil.py")]
    [InlineData("/etc/evil.py")]
    [InlineData("C:\\evil.py")]
    [InlineData("..\\evil.py")]
    public async Task A_name_outside_of_the_archive_is_refused(string name) =>
        Assert.Equal("The archive names a file outside of itself", await RefusalAsync(() => ReadAsync((name, "x"u8.ToArray()))));

    [Fact]
    public async Task An_archive_that_is_larger_than_it_looks_is_refused_unread() =>
        Assert.Contains("1 MB", await RefusalAsync(() => ReadAsync(("bomb.txt", new byte[3 << 20]))), StringComparison.Ordinal);

    [Fact]
    public async Task Too_many_entries_are_refused() => Assert.Contains(
        "50 files", await RefusalAsync(() =>
            ReadAsync([.. Enumerable.Range(0, 51).Select(number => ($"{number}.txt", Array.Empty<byte>()))])), StringComparison.Ordinal);

    [Fact]
    public async Task A_directory_that_lies_about_its_size_is_measured()
    {
        var archive = Zip([.. Enumerable.Range(0, 3_000).Select(number => ($"{number}.txt", Array.Empty<byte>()))]);
        var end = archive.AsSpan(archive.Length - 22);
        (end[8], end[9], end[10], end[11]) = (1, 0, 1, 0);

        Assert.Contains(
            "50 files", await RefusalAsync(() => Submission.ReadAsync(new MemoryStream(archive), Limits, Ct)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PK")]
    [InlineData("no archive at all, but long enough to hold the end of one")]
    public async Task What_is_no_archive_is_refused(string content) => Assert.Equal(
        "The file is not a zip archive",
        await RefusalAsync(() => Submission.ReadAsync(new MemoryStream(Encoding.ASCII.GetBytes(content)), Limits, Ct)));

    [Fact]
    public async Task A_damaged_archive_is_refused_or_read_and_never_breaks_its_reader()
    {
        var whole = Zip([("a.txt", Encoding.ASCII.GetBytes(new string('x', 500))), ("b.txt", "hello"u8.ToArray())]);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0xFF;
            try
            {
                await Submission.ReadAsync(new MemoryStream(damaged), Limits, Ct);
            }
            catch (Failure failure)
            {
                Assert.Equal(FailureKind.Invalid, failure.Kind);
            }
        }
    }

    private static Task<Submission> ReadAsync(params (string Name, byte[] Content)[] files) =>
        Submission.ReadAsync(new MemoryStream(Zip(files)), Limits, Ct);

    private static async Task<string> RefusalAsync(Func<Task<Submission>> read) => (await Assert.ThrowsAsync<Failure>(read)).Message;

    internal static byte[] Zip(params (string Name, byte[] Content)[] files)
    {
        using var made = new MemoryStream();
        using (var archive = new ZipArchive(made, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(content);
            }
        }
        return made.ToArray();
    }
}
