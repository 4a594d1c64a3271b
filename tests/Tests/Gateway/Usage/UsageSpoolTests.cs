using Microsoft.Extensions.Options;
using Stoa.Gateway;
using Stoa.Gateway.Usage;
using Stoa.Platform;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Usage;

public sealed class UsageSpoolTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("stoa-spool-").FullName;

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public void A_record_is_read_as_it_was_written()
    {
        var record =
            Record(1) with { Cost = 0.0000012345m, FirstByteMs = null, Model = "modèle-\ud83d\ude00", Outcome = CallOutcome.Cancelled };
        Span<byte> buffer = new byte[UsageRecord.MaxBytes];
        Assert.Equal(record, UsageRecord.Read(buffer[..record.Write(buffer)]));
    }

    [Fact]
    public void What_agents_have_is_read_as_it_was_written()
    {
        var record = Record(1) with
        {
            IsCached = true, AgentId = "a", VersionId = "v", FolderId = "f", ProviderKeyId = "k", ThreadId = "thréad",
        };
        Span<byte> buffer = new byte[UsageRecord.MaxBytes];
        Assert.Equal(record, UsageRecord.Read(buffer[..record.Write(buffer)]));
    }

    [Fact]
    public void A_record_of_the_first_version_is_still_read()
    {
        Span<byte> buffer = new byte[UsageRecord.MaxBytes];
        var record = Record(1);
        var length = record.Write(buffer);
        buffer[0] = 1;
        // The first version ended before the five texts, which are empty here: two bytes of length each.
        Assert.Equal(record, UsageRecord.Read(buffer[..(length - 10)]));
    }

    [Fact]
    public void Texts_of_any_length_fit() =>
        Assert.InRange((Record(1) with { Model = new('\uffff', 5_000), Error = new('x', 5_000) }).Write(new byte[UsageRecord.MaxBytes]),
            1, UsageRecord.MaxBytes);

    [Fact]
    public void What_was_appended_is_there_after_the_owner_has_gone_without_a_word()
    {
        // Not disposed before the next one reads: as after a kill, only the mapped pages tell.
        using var folder = SpoolFolder.ClaimFirst(data);
        var segment = SpoolSegment.Open(folder.Path, 1, 1 << 16);
        for (var number = 0; number < 100; number++)
        {
            Append(segment, Record(number));
        }
        using var reopened = SpoolSegment.Open(folder.Path, 1, 1 << 16);
        Assert.Equal(segment.Written, reopened.Written);
        Assert.Equal(Enumerable.Range(0, 100), Read(reopened).Select(record => (int)record.InputTokens));
        segment.Dispose();
    }

    [Fact]
    public void A_record_that_was_cut_while_written_does_not_exist()
    {
        using var folder = SpoolFolder.ClaimFirst(data);
        int whole;
        using (var segment = SpoolSegment.Open(folder.Path, 1, 1 << 16))
        {
            Append(segment, Record(1));
            whole = segment.Written;
            Append(segment, Record(2));
        }
        using (var file = File.OpenWrite(Directory.GetFiles(folder.Path, "*.spool").Single()))
        {
            file.Position = whole + 20;
            file.WriteByte(0xFF);
        }
        using var reopened = SpoolSegment.Open(folder.Path, 1, 1 << 16);
        Assert.Equal([1], Read(reopened).Select(record => (int)record.InputTokens));
    }

    [Fact]
    public void A_full_spool_takes_no_new_calls_but_keeps_those_under_way()
    {
        using var spool = Spool();
        var appended = 0;
        while (spool.HasRoom)
        {
            spool.Append(Record(appended++));
        }
        spool.Append(Record(appended++));
        Assert.Equal(appended, spool.Segments().Sum(segment => Read(segment).Count()));
    }

    [Fact]
    public void Two_hosts_on_one_data_directory_write_to_folders_of_their_own()
    {
        using var first = Spool();
        using var second = Spool();
        Assert.NotEqual(first.Folder.Path, second.Folder.Path);
        Assert.NotEqual(first.Folder.Id, second.Folder.Id);
    }

    [Fact]
    public void A_folder_left_behind_is_claimed_with_its_name()
    {
        Guid id;
        using (var gone = Spool())
        {
            gone.Append(Record(7));
            id = gone.Folder.Id;
        }
        using var next = Spool();
        Assert.Equal(id, next.Folder.Id);
        Assert.Equal([7], next.Segments().SelectMany(Read).Select(record => (int)record.InputTokens));
    }

    [Fact]
    public void A_folder_whose_segments_were_all_loaded_counts_again_under_a_new_name()
    {
        Guid id;
        using (var gone = Spool())
        {
            id = gone.Folder.Id;
        }
        // As a neighbour leaves it that took everything over.
        foreach (var segment in Directory.GetFiles(Path.Combine(data, "spool", "000"), "*.spool"))
        {
            File.Delete(segment);
        }
        using var next = Spool();
        Assert.NotEqual(id, next.Folder.Id);
    }

    [Fact]
    public void A_new_owner_writes_to_a_segment_of_its_own()
    {
        using (var gone = Spool())
        {
            gone.Append(Record(1));
        }
        using var next = Spool();
        next.Append(Record(2));
        Assert.Equal([[1], [2]], next.Segments().Select(segment => Read(segment).Select(record => (int)record.InputTokens)));
    }

    [Fact]
    public void A_disposed_spool_takes_nothing_and_says_so()
    {
        var spool = Spool();
        spool.Dispose();
        Assert.Equal(FailureKind.Unavailable, Assert.Throws<Failure>(() => spool.Append(Record(1))).Kind);
    }

    internal static UsageRecord Record(int tokens) => new()
    {
        Id = Guid.CreateVersion7(),
        At = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        OrganizationId = Guid.CreateVersion7(),
        KeyId = Guid.CreateVersion7(),
        RequestId = $"request-{tokens}",
        Surface = "openai.chat",
        Provider = "scripted",
        Model = "m",
        Outcome = CallOutcome.Succeeded,
        InputTokens = tokens,
        OutputTokens = 2,
        FirstByteMs = 3,
    };

    private UsageSpool Spool()
    {
        var gateway = new GatewayOptions();
        gateway.Spool.MaxMb = 16;
        return new(Options.Create(new StoaOptions { DataDirectory = data }), Options.Create(gateway));
    }

    private static void Append(SpoolSegment segment, UsageRecord record)
    {
        var buffer = new byte[UsageRecord.MaxBytes];
        Assert.True(segment.TryAppend(buffer.AsSpan(0, record.Write(buffer))));
    }

    private static IEnumerable<UsageRecord> Read(SpoolSegment segment)
    {
        for (var offset = 0; offset < segment.Written;)
        {
            var record = UsageRecord.Read(segment.RecordAt(offset));
            offset = SpoolSegment.Behind(offset, segment.RecordAt(offset).Length);
            yield return record;
        }
    }
}
