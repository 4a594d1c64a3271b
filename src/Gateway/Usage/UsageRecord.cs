using System.Buffers.Binary;
using System.Text;

namespace Stoa.Gateway.Usage;

/// <summary>How a call to a provider ended.</summary>
internal enum CallOutcome : byte
{
    Succeeded = 0,
    Failed = 1,
    /// <summary>The client left before the end.</summary>
    Cancelled = 2,
}

/// <summary>Tokens as providers report them. <c>Input</c> includes cached tokens, <c>Output</c> includes reasoning.</summary>
internal sealed record UsageRecord
{
    public required Guid Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required Guid OrganizationId { get; init; }

    public required Guid KeyId { get; init; }

    /// <summary>The <c>x-request-id</c> of the answer; what a client quotes when it asks about a call.</summary>
    public required string RequestId { get; init; }

    /// <summary>The dialect and operation the client used, as <c>openai.chat</c>.</summary>
    public required string Surface { get; init; }

    public required string Provider { get; init; }

    /// <summary>The model as the provider knows it, without the provider's prefix.</summary>
    public required string Model { get; init; }

    public required CallOutcome Outcome { get; init; }

    /// <summary>The code of the failure, or empty.</summary>
    public string Error { get; init; } = "";

    public int Status { get; init; }

    public bool IsStream { get; init; }

    /// <summary>True when the provider reported no usage and the figures are ours.</summary>
    public bool IsEstimated { get; init; }

    public int Attempts { get; init; } = 1;

    public long InputTokens { get; init; }

    public long CacheReadTokens { get; init; }

    public long CacheWriteTokens { get; init; }

    public long OutputTokens { get; init; }

    public long ReasoningTokens { get; init; }

    /// <summary>US dollars at the price of the moment of the call; null when the model has no price.</summary>
    public decimal? Cost { get; init; }

    public int LatencyMs { get; init; }

    /// <summary>Until the first byte of the answer; null when there was none.</summary>
    public int? FirstByteMs { get; init; }

    private const byte Version = 1;
    private const int FixedBytes = 1 + (3 * 16) + 8 + 1 + 2 + 1 + 2 + (5 * 8) + 1 + 16 + 4 + 4;
    private const int MaxText = 512;

    /// <summary>The largest record <see cref="Write"/> makes.</summary>
    public const int MaxBytes = FixedBytes + (5 * (2 + (MaxText * 3)));

    /// <summary>Writes the record in the spool's own compact form (little-endian) and returns its length.</summary>
    public int Write(Span<byte> output)
    {
        var writer = new Writer(output);
        writer.Byte(Version);
        writer.Guid(Id);
        writer.Guid(OrganizationId);
        writer.Guid(KeyId);
        writer.Int64(At.UtcTicks);
        writer.Byte((byte)Outcome);
        writer.Int16((short)Status);
        writer.Byte((byte)((IsStream ? 1 : 0) | (IsEstimated ? 2 : 0)));
        writer.Int16((short)Attempts);
        writer.Int64(InputTokens);
        writer.Int64(CacheReadTokens);
        writer.Int64(CacheWriteTokens);
        writer.Int64(OutputTokens);
        writer.Int64(ReasoningTokens);
        writer.Decimal(Cost);
        writer.Int32(LatencyMs);
        writer.Int32(FirstByteMs ?? -1);
        writer.Text(RequestId);
        writer.Text(Surface);
        writer.Text(Provider);
        writer.Text(Model);
        writer.Text(Error);
        return writer.Length;
    }

    /// <exception cref="InvalidDataException">The bytes are not a record of a version we know.</exception>
    public static UsageRecord Read(ReadOnlySpan<byte> input)
    {
        var reader = new Reader(input);
        if (reader.Byte() is not Version and var version)
        {
            throw new InvalidDataException($"Usage record of unknown version {version}");
        }
        var id = reader.Guid();
        var organization = reader.Guid();
        var key = reader.Guid();
        var at = new DateTimeOffset(reader.Int64(), TimeSpan.Zero);
        var outcome = (CallOutcome)reader.Byte();
        var status = reader.Int16();
        var flags = reader.Byte();
        return new()
        {
            Id = id,
            OrganizationId = organization,
            KeyId = key,
            At = at,
            Outcome = outcome,
            Status = status,
            IsStream = (flags & 1) != 0,
            IsEstimated = (flags & 2) != 0,
            Attempts = reader.Int16(),
            InputTokens = reader.Int64(),
            CacheReadTokens = reader.Int64(),
            CacheWriteTokens = reader.Int64(),
            OutputTokens = reader.Int64(),
            ReasoningTokens = reader.Int64(),
            Cost = reader.Decimal(),
            LatencyMs = reader.Int32(),
            FirstByteMs = reader.Int32() is >= 0 and var first ? first : null,
            RequestId = reader.Text(),
            Surface = reader.Text(),
            Provider = reader.Text(),
            Model = reader.Text(),
            Error = reader.Text(),
        };
    }

    private ref struct Writer(Span<byte> output)
    {
        private readonly Span<byte> output = output;

        public int Length { get; private set; }

        public void Byte(byte value) => output[Length++] = value;

        public void Int16(short value)
        {
            BinaryPrimitives.WriteInt16LittleEndian(output[Length..], value);
            Length += 2;
        }

        public void Int32(int value)
        {
            BinaryPrimitives.WriteInt32LittleEndian(output[Length..], value);
            Length += 4;
        }

        public void Int64(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(output[Length..], value);
            Length += 8;
        }

        public void Guid(Guid value)
        {
            value.TryWriteBytes(output[Length..]);
            Length += 16;
        }

        public void Decimal(decimal? value)
        {
            Byte(value is null ? (byte)0 : (byte)1);
            Span<int> bits = stackalloc int[4];
            decimal.GetBits(value ?? 0, bits);
            foreach (var part in bits)
            {
                Int32(part);
            }
        }

        public void Text(string value)
        {
            var kept = value.Length > MaxText ? value.AsSpan(0, MaxText) : value;
            var bytes = Encoding.UTF8.GetBytes(kept, output[(Length + 2)..]);
            Int16((short)bytes);
            Length += bytes;
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> input)
    {
        private ReadOnlySpan<byte> rest = input;

        public byte Byte() => Take(1)[0];

        public short Int16() => BinaryPrimitives.ReadInt16LittleEndian(Take(2));

        public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

        public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

        public Guid Guid() => new(Take(16));

        public decimal? Decimal()
        {
            var isKnown = Byte() == 1;
            var value = new decimal([Int32(), Int32(), Int32(), Int32()]);
            return isKnown ? value : null;
        }

        public string Text() => Encoding.UTF8.GetString(Take(Int16()));

        private ReadOnlySpan<byte> Take(int length)
        {
            if (length < 0 || length > rest.Length)
            {
                throw new InvalidDataException("Usage record is cut short");
            }
            var taken = rest[..length];
            rest = rest[length..];
            return taken;
        }
    }
}
