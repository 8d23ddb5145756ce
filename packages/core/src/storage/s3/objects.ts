// What is said of objects: in a listing, by a request for metadata, and when one is written.

/** An object as a listing shows it. Keys are without the bucket's prefix, everywhere. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

/** A version of an object, or a marker that it was deleted. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  readonly isLatest: boolean;
  /** RFC 3339. */
  readonly modified: string;
}

export type Metadata = Readonly<Record<string, string>>;

export interface ObjectHead {
  readonly bytes: number;
  readonly metadata: Metadata;
  /** SHA-256 of the whole object in base64, where the server knows it. */
  readonly sha256: string | undefined;
}

export interface FetchedObject {
  readonly body: Buffer;
  readonly metadata: Metadata;
}

/** One object to write. */
export interface NewObject {
  readonly key: string;
  readonly metadata: Metadata;
  readonly contentType: string;
  /** Until when it is locked, where objects are locked. Fixed once, so that every attempt says the same. */
  readonly lockedUntil: Date | undefined;
}

/** A part of an object that is sent in several. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly sha256: string;
}

/** Keys of one page of a listing. */
export interface ListRange {
  /** Below the bucket's own prefix. */
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string;
}
