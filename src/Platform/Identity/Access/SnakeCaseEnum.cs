using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoa.Platform.Identity;

/// <summary>An enum on our own wire: its name in snake_case, never its number.</summary>
internal sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
