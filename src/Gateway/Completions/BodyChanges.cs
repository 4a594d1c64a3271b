using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Completions;

/// <summary>A body with a few places replaced; all other bytes stay as they are.</summary>
internal ref struct BodyChanges(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> body = body;
    private (int From, int To, byte[] With) first;
    private (int From, int To, byte[] With) second;
    private int count;

    /// <summary>The body with the model as its provider knows it; null when it already says so.</summary>
    public static PooledBytes? Rename(ReadOnlySpan<byte> body, RequestOutline outline, ModelTarget target)
    {
        if (NamesModel(body, outline, target))
        {
            return null;
        }
        var changes = new BodyChanges(body);
        changes.Rename(outline, target);
        return changes.Apply();
    }

    public static bool NamesModel(ReadOnlySpan<byte> body, RequestOutline outline, ModelTarget target) =>
        System.Text.Ascii.Equals(outline.ModelName(body), target.Model);

    public void Rename(RequestOutline outline, ModelTarget target) =>
        Replace(outline.Model, JsonSerializer.SerializeToUtf8Bytes(target.Model, GatewayJson.Default.String));

    public void Replace(Range range, byte[] with)
    {
        var (offset, length) = range.GetOffsetAndLength(body.Length);
        Add((offset, offset + length, with));
    }

    public void Insert(int at, ReadOnlySpan<byte> bytes) => Add((at, at, bytes.ToArray()));

    public readonly PooledBytes Apply()
    {
        var result = new PooledBytes(body.Length + 512);
        var done = 0;
        for (var index = 0; index < count; index++)
        {
            var change = index == 0 ? first : second;
            result.Write(body[done..change.From]);
            result.Write(change.With);
            done = change.To;
        }
        result.Write(body[done..]);
        return result;
    }

    private void Add((int From, int To, byte[] With) change)
    {
        if (count == 1 && change.From < first.From)
        {
            (first, second) = (change, first);
        }
        else if (count == 1)
        {
            second = change;
        }
        else
        {
            first = change;
        }
        count++;
    }
}
