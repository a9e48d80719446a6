// oxlint-disable-next-line import/no-unassigned-import -- x509 needs it to be there first
import 'reflect-metadata';

// By name: the library is CommonJS, and of such a module a bundle's `import()` gives no names.
export {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
