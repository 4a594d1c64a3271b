using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Stoa.Platform.Data;

public static class Documents
{
    /// <summary>Stores the property as one <c>jsonb</c> document, in the words of the module's JSON context. Compared by content.</summary>
    public static PropertyBuilder<T> IsDocument<T>(this PropertyBuilder<T> property, JsonTypeInfo<T> json)
        where T : class
    {
        property.HasColumnType("jsonb").HasConversion(
            document => JsonSerializer.Serialize(document, json),
            text => JsonSerializer.Deserialize(text, json)!,
            new ValueComparer<T>(
                (left, right) => JsonSerializer.Serialize(left!, json) == JsonSerializer.Serialize(right!, json),
                document => JsonSerializer.Serialize(document, json).GetHashCode(StringComparison.Ordinal),
                document => JsonSerializer.Deserialize(JsonSerializer.Serialize(document, json), json)!));
        return property;
    }
}
