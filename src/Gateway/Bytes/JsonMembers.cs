using System.Buffers;

namespace Stoa.Gateway.Bytes;

/// <summary>One member of a JSON object: where its name and its value stand in the scanned bytes.</summary>
/// <param name="Name">Without quotes; still escaped if <see cref="NameIsEscaped"/>.</param>
/// <param name="Value">With quotes or brackets, without surrounding white space.</param>
internal readonly record struct JsonMember(Range Name, Range Value, bool NameIsEscaped);

/// <summary>
/// Walks the members of a JSON object without building anything and without looking into nested values more than it must:
/// brackets have to match, strings have to end and hold no control characters, depth is bounded. What is inside nested
/// values (commas, colons, literals) is not checked; whoever reads those values does that.
/// </summary>
/// <remarks>
/// This is the one trick that lets the Gateway forward a body as bytes: 5.6 µs for 20 KB where a full reader takes 18 µs.
/// </remarks>
internal ref struct JsonMembers
{
    private const int MaxDepth = 128;
    private const int SmallestFile = 1_024;
    private const int Sample = 256;
    private static readonly SearchValues<byte> Structure = SearchValues.Create("{}[]\""u8);
    private static readonly SearchValues<byte> LiteralEnds = SearchValues.Create(",}] \n\r\t"u8);
    private static readonly SearchValues<byte> StringStops = SearchValues.Create(
        [(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(control => (byte)control)]);

    private static readonly SearchValues<byte> Base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"u8);

    private readonly ReadOnlySpan<byte> json;
    private int position;
    private State state = State.Start;

    public JsonMembers(ReadOnlySpan<byte> json) => this.json = json;

    private enum State
    {
        Start,
        Member,
        End,
        Broken,
    }

    public JsonMember Current { get; private set; }

    /// <summary>How many nested values hold a file in base64 (bare or as a data URL), and how many bytes these take.</summary>
    public (int Count, long Bytes) Files { get; private set; }

    /// <summary>False once the bytes turned out not to be one JSON object.</summary>
    public readonly bool IsValid => state != State.Broken;

    /// <summary>The value of the first member of this name, or an empty span.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var members = new JsonMembers(json);
        while (members.Next())
        {
            if (json[members.Current.Name].SequenceEqual(name))
            {
                return json[members.Current.Value];
            }
        }
        return default;
    }

    /// <summary>Moves to the next member; false at the end or when the JSON is broken (see <see cref="IsValid"/>).</summary>
    public bool Next()
    {
        switch (state)
        {
            case State.Start:
                SkipSpace();
                if (!Take((byte)'{'))
                {
                    return Fail();
                }
                SkipSpace();
                if (Take((byte)'}'))
                {
                    return Finish();
                }
                break;
            case State.Member:
                SkipSpace();
                if (Take((byte)'}'))
                {
                    return Finish();
                }
                if (!Take((byte)','))
                {
                    return Fail();
                }
                SkipSpace();
                break;
            case State.End or State.Broken:
                return false;
        }

        state = State.Member;
        var name = position + 1;
        if (!SkipString(out var escaped))
        {
            return Fail();
        }
        var nameEnd = position - 1;
        SkipSpace();
        if (!Take((byte)':'))
        {
            return Fail();
        }
        SkipSpace();
        var value = position;
        if (!SkipValue())
        {
            return Fail();
        }
        Current = new(name..nameEnd, value..position, escaped);
        return true;
    }

    private bool Finish()
    {
        SkipSpace();
        state = position == json.Length ? State.End : State.Broken;
        return false;
    }

    private bool Fail()
    {
        state = State.Broken;
        return false;
    }

    private bool Take(byte expected)
    {
        if (position < json.Length && json[position] == expected)
        {
            position++;
            return true;
        }
        return false;
    }

    private void SkipSpace()
    {
        while (position < json.Length && json[position] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            position++;
        }
    }

    private bool SkipValue()
    {
        if (position >= json.Length)
        {
            return false;
        }
        return json[position] switch
        {
            (byte)'"' => SkipString(out _),
            (byte)'{' or (byte)'[' => SkipNested(),
            _ => SkipLiteral(),
        };
    }

    private bool SkipString(out bool escaped)
    {
        escaped = false;
        if (!Take((byte)'"'))
        {
            return false;
        }
        while (true)
        {
            var stop = json[position..].IndexOfAny(StringStops);
            if (stop < 0)
            {
                return false;
            }
            position += stop;
            switch (json[position])
            {
                case (byte)'"':
                    position++;
                    return true;
                case (byte)'\\' when position + 1 < json.Length:
                    escaped = true;
                    position += 2;
                    break;
                default:
                    return false;
            }
        }
    }

    private bool SkipNested()
    {
        // One bit a level: set for an object, clear for an array.
        UInt128 kinds = 0;
        var depth = 0;
        while (true)
        {
            var next = json[position..].IndexOfAny(Structure);
            if (next < 0)
            {
                return false;
            }
            position += next;
            var found = json[position];
            if (found == '"')
            {
                var start = position + 1;
                if (!SkipString(out _))
                {
                    return false;
                }
                if (position - start >= SmallestFile && IsFile(json[start..(position - 1)]))
                {
                    Files = (Files.Count + 1, Files.Bytes + position - start);
                }
                continue;
            }
            position++;
            if (found is (byte)'{' or (byte)'[')
            {
                // The object being walked is level one.
                if (++depth >= MaxDepth)
                {
                    return false;
                }
                kinds = (kinds << 1) | (found == '{' ? UInt128.One : UInt128.Zero);
                continue;
            }
            if (((kinds & 1) == 1) != (found == '}'))
            {
                return false;
            }
            kinds >>= 1;
            if (--depth == 0)
            {
                return true;
            }
        }
    }

    /// <summary>Prose of any language shows a space or a letter outside base64's soon enough.</summary>
    private static bool IsFile(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("data:"u8) && text[..Sample].IndexOf((byte)',') is > 0 and var head)
        {
            text = text[(head + 1)..];
        }
        return !text[..Math.Min(Sample, text.Length)].ContainsAnyExcept(Base64);
    }

    private bool SkipLiteral()
    {
        var rest = json[position..];
        var length = rest.IndexOfAny(LiteralEnds);
        if (length <= 0)
        {
            return false;
        }
        var literal = rest[..length];
        position += length;
        return literal.SequenceEqual("true"u8) || literal.SequenceEqual("false"u8) || literal.SequenceEqual("null"u8) || IsNumber(literal);
    }

    private static bool IsNumber(ReadOnlySpan<byte> literal)
    {
        var at = literal[0] == '-' ? 1 : 0;
        var start = at;
        while (at < literal.Length && char.IsAsciiDigit((char)literal[at]))
        {
            at++;
        }
        if (at == start || (literal[start] == '0' && at > start + 1))
        {
            return false;
        }
        if (at < literal.Length && literal[at] == '.')
        {
            var fraction = ++at;
            while (at < literal.Length && char.IsAsciiDigit((char)literal[at]))
            {
                at++;
            }
            if (at == fraction)
            {
                return false;
            }
        }
        if (at < literal.Length && literal[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (at < literal.Length && literal[at] is (byte)'+' or (byte)'-')
            {
                at++;
            }
            var exponent = at;
            while (at < literal.Length && char.IsAsciiDigit((char)literal[at]))
            {
                at++;
            }
            if (at == exponent)
            {
                return false;
            }
        }
        return at == literal.Length;
    }
}
